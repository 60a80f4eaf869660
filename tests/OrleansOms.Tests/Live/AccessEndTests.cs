using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OrleansOms.Grains.Catalogue;
using OrleansOms.Host.Commands;
using OrleansOms.Host.Live;
using OrleansOms.Host.Security;
using OrleansOms.Postgres.Security;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Live;

/// <summary>A program whose memory of keys and logins grows old, and whose calendar turns, when a test says so.</summary>
public sealed class AgeingApp : IAsyncLifetime
{
    /// <summary>The program.</summary>
    public OmsApp App { get; }
    /// <summary>By which the memory of keys and logins is old.</summary>
    public ShiftedTime Memory { get; } = new();
    /// <summary>By which links and cookies end.</summary>
    public ShiftedTime Calendar { get; } = new();

    public AgeingApp() => App = new OmsApp
    {
        Adjust = services => services
            .AddSingleton(p => new KeyRing(p.GetRequiredService<ApiKeys>(), Memory, NullLogger<KeyRing>.Instance))
            .AddSingleton(p => new LoginRing(p.GetRequiredService<Operators>(), Memory, NullLogger<LoginRing>.Instance))
            .AddSingleton(p => new Gate(
                p.GetRequiredService<KeyRing>(), p.GetRequiredService<LoginRing>(),
                p.GetRequiredService<IOptionsMonitor<CookieAuthenticationOptions>>(), Calendar))
            .AddSingleton(p => new HubAccess(
                p.GetRequiredService<Gate>(), p.GetRequiredService<TrackingLinks>(),
                p.GetRequiredService<CatalogueIndex>(), Calendar))
            .Configure<CookieAuthenticationOptions>(OperatorLogin.Scheme, o => o.TimeProvider = Calendar),
    };

    /// <summary>What ends a login.</summary>
    public static readonly string[] LoginEndings =
        ["logout", "disabled operator", "new password", "fewer warehouses", "expired login", "forgotten cookies"];

    /// <summary>Logs a new person in, who may see everything.</summary>
    /// <param name="ending">One of <see cref="LoginEndings"/>.</param>
    /// <returns>The cookie, and what ends the login in that way; the memory has to grow old then.</returns>
    public async Task<(string Cookie, Func<Task> End)> LogIn(string ending)
    {
        var person = await NewPerson();
        var login = OperatorLogin.PrincipalOf(person);
        var (cookie, operators) = (App.Cookie(login), new Operators(App.Database.Source));
        return (cookie, ending switch
        {
            "logout" => () => App.Services.GetRequiredService<LoginRing>().End(login),
            "disabled operator" => () => operators.Disable(person.Name),
            "new password" => () => operators.Put(person with { PasswordHash = "another" }),
            "fewer warehouses" => () => operators.Put(person with { Warehouses = ["MAN"] }),
            "forgotten cookies" => () => ForgetCookies(cookie.Split('=', 2)[1]),
            _ => () => Turn(TimeSpan.FromHours(2)),
        });
    }

    /// <summary>A new person, who may see everything.</summary>
    public async Task<Operator> NewPerson()
    {
        var person = new Operator($"p-{Guid.NewGuid():N}", "none", [], null);
        await new Operators(App.Database.Source).Put(person);
        return person;
    }

    /// <summary>Turns the calendar.</summary>
    public Task Turn(TimeSpan ahead)
    {
        Calendar.Ahead = ahead;
        return Task.CompletedTask;
    }

    async Task ForgetCookies(string cookie)
    {
        Assert.Equal(0, await CookiesCommand.Run(["forget", "--all"], App.Database.Source, TextWriter.Null));
        var cookies = App.Services.GetRequiredService<IOptionsMonitor<CookieAuthenticationOptions>>().Get(OperatorLogin.Scheme);
        await LiveApp.Until(() => cookies.TicketDataFormat.Unprotect(cookie) is null);
    }

    /// <inheritdoc />
    public ValueTask InitializeAsync() => App.InitializeAsync();

    /// <inheritdoc />
    public ValueTask DisposeAsync() => App.DisposeAsync();
}

/// <summary>The present moment and some more.</summary>
public sealed class ShiftedTime : TimeProvider
{
    long _ticks;

    /// <summary>How far it is ahead.</summary>
    public TimeSpan Ahead
    {
        get => TimeSpan.FromTicks(Interlocked.Read(ref _ticks));
        set => Interlocked.Exchange(ref _ticks, value.Ticks);
    }

    /// <inheritdoc />
    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Ahead;
}

/// <summary>A watch lasts as long as what it was allowed for.</summary>
[Collection(LiveCollection.Name)]
public sealed class AccessEndTests(AgeingApp ageing) : IClassFixture<AgeingApp>
{
    readonly OmsApp _app = ageing.App;

    /// <summary>Watching, and what must end it.</summary>
    public static TheoryData<string> Endings() =>
        [.. AgeingApp.LoginEndings, "revoked key", "expired link"];

    [Theory, MemberData(nameof(Endings))]
    public async Task Nothing_is_pushed_after_access_has_ended(string ending)
    {
        var order = await _app.PlaceNew();
        await _app.Released(order);
        var (client, argument, end) = await WatchAs(ending, order);
        await using var watching = client;
        await using var witness = await LiveClient.Connect(_app.Url, OmsApp.BootstrapKey);
        await witness.Call("WatchOrder", order.Id());

        // A cancellation is two events, which may be pushed one by one: both must have come before anything ends.
        var version = (await _app.CancelOne(order))["version"]!.GetValue<int>();
        await LiveApp.Until(() => client.Versions().LastOrDefault() == version && witness.Versions().LastOrDefault() == version);
        await end();
        ageing.Memory.Ahead += FreshCopy<Logins>.Lifetime + TimeSpan.FromMilliseconds(1);
        try
        {
            var told = client.Versions().Count;
            version = (await _app.CancelOne(order))["version"]!.GetValue<int>();
            await LiveApp.Until(() => witness.Versions().LastOrDefault() == version);
            await LiveApp.Until(() => client.Heard.Any(h => h.What == "watchEnded"));
            Assert.Equal("watchEnded", client.Heard.Last().What);
            Assert.Equal(told, client.Versions().Count);
            HubTests.AssertSame(
                new JsonObject { ["watch"] = "order", ["of"] = argument, ["code"] = "access_ended" },
                client.Heard.Last().Value);
            Assert.Equal("not_found", await client.Refused("WatchOrder", argument));
        }
        finally { ageing.Calendar.Ahead = TimeSpan.Zero; }
    }

    [Fact]
    public async Task Watches_that_nothing_happens_to_end_too_and_say_which()
    {
        var warehouse = await _app.NewWarehouse();
        var (key, revoke) = await NewKey();
        var person = await ageing.NewPerson();
        await using var program = await LiveClient.Connect(_app.Url, key);
        await program.Call("WatchWarehouse", warehouse);
        await using var people = await LiveClient.Connect(_app.Url, cookie: _app.Cookie(OperatorLogin.PrincipalOf(person)));
        await people.Call("WatchOrders");

        await revoke();
        Assert.True(await new Operators(_app.Database.Source).Disable(person.Name));
        ageing.Memory.Ahead += FreshCopy<Logins>.Lifetime + TimeSpan.FromMilliseconds(1);
        await LiveApp.Until(() => IsEnded(program) && IsEnded(people));
        HubTests.AssertSame(
            new JsonObject { ["watch"] = "warehouse", ["of"] = warehouse, ["code"] = "access_ended" },
            program.Heard.Last().Value);
        HubTests.AssertSame(
            new JsonObject { ["watch"] = "orders", ["code"] = "access_ended" }, people.Heard.Last().Value);
        Assert.Equal("forbidden", await program.Refused("WatchWarehouse", warehouse));
        Assert.Equal("forbidden", await people.Refused("WatchOrders"));

        static bool IsEnded(LiveClient client) => client.Heard.Any(h => h.What == "watchEnded");
    }

    [Fact]
    public async Task A_watch_that_has_ended_leaves_the_others_of_its_connection()
    {
        var order = await _app.PlaceNew();
        await _app.Released(order);
        var (key, revoke) = await NewKey();
        await using var client = await LiveClient.Connect(_app.Url, key);
        await client.Call("WatchOrder", order.Id());
        await client.Call("WatchOrder", order.Token());
        await revoke();
        ageing.Memory.Ahead += FreshCopy<Logins>.Lifetime + TimeSpan.FromMilliseconds(1);
        await _app.CancelOne(order);
        await LiveApp.Until(() => client.Heard.Any(h => h.What == "watchEnded") && client.Versions().Count > 0);
        // The one of the link is told still: a customer's view, without the e-mail.
        Assert.All(
            client.Heard.Where(h => h.What == "orderChanged"),
            h => Assert.DoesNotContain("jane@example.com", h.Value.ToJsonString()));
    }

    [Fact]
    public async Task A_watch_of_an_order_ends_when_none_of_it_is_in_a_warehouse_that_may_be_seen()
    {
        var (near, far) = (await _app.NewProduct(2), await _app.NewProduct());
        await _app.Receive("MAN", far, 2);
        // Not paid, so that nothing is handed to a warehouse yet: what a warehouse has had, it may always see.
        var unpaid = Api.Order((near, 2), (far, 2));
        unpaid["payment"] = new JsonObject { ["method"] = "prepaid", ["status"] = "pending" };
        var order = await _app.Api.Place(unpaid);
        var (key, _) = await NewKey("LON");
        var london = _app.Caller(key);
        await using var client = await LiveClient.Connect(_app.Url, key);
        await client.Call("WatchOrder", order.Id());

        var version = (await _app.CancelOne(order))["version"]!.GetValue<int>();
        await LiveApp.Until(() => client.Versions().LastOrDefault() == version);
        Assert.Equal(200, (await london.Get($"/api/v1/orders/{order.Id()}")).Status);
        // The last unit in London: the rest of the order is Manchester's.
        version = (await _app.CancelOne(order))["version"]!.GetValue<int>();
        await LiveApp.Until(() => client.Heard.Any(h => h.What == "watchEnded" || h.What == "orderChanged" && h.Value.Version() == version));
        Assert.Equal(404, (await london.Get($"/api/v1/orders/{order.Id()}")).Status);
        Assert.Equal("not_found", await client.Refused("WatchOrder", order.Id()));
        Assert.DoesNotContain(version, client.Versions());
        HubTests.AssertSame(
            new JsonObject { ["watch"] = "order", ["of"] = order.Id(), ["code"] = "access_ended" }, client.Heard.Last().Value);
    }

    async Task<(LiveClient Client, string Argument, Func<Task> End)> WatchAs(string ending, JsonNode order)
    {
        switch (ending)
        {
            case "revoked key":
                var (key, revoke) = await NewKey();
                return await Watch(key, null, order.Id(), revoke);
            case "expired link":
                return await Watch(null, null, order.Token(), () => ageing.Turn(TimeSpan.FromDays(402)));
        }
        var (cookie, end) = await ageing.LogIn(ending);
        return await Watch(null, cookie, order.Id(), end);
    }

    async Task<(LiveClient, string, Func<Task>)> Watch(string? key, string? cookie, string argument, Func<Task> end)
    {
        var client = await LiveClient.Connect(_app.Url, key, cookie: cookie);
        await client.Call("WatchOrder", argument);
        return (client, argument, end);
    }

    async Task<(string Key, Func<Task> Revoke)> NewKey(params string[] warehouses)
    {
        var (key, id) = (KeyRing.NewKey(), Guid.NewGuid().ToString("N"));
        var keys = new ApiKeys(_app.Database.Source);
        await keys.Add(new ApiKey(id, id, KeyRing.HashOf(key), [Scopes.All], warehouses is [] ? null : warehouses, null, default, null));
        return (key, () => keys.Revoke(id));
    }
}
