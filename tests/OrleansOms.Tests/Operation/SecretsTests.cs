using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansOms.Host.Commands;
using OrleansOms.Host.Security;
using OrleansOms.Postgres.Security;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Operation;

/// <summary>A secret is renewed beside a running program: old and new hold side by side until the old one ends.</summary>
[Collection(ApiTests.ApiCollection.Name)]
public sealed class SecretsTests(OmsApp app)
{
    ApiKeys Keys => new(app.Database.Source);

    [Fact]
    public async Task A_renewed_key_and_its_former_value_are_one_caller_until_the_former_is_forgotten()
    {
        var (name, former) = await NewKey();
        var sku = await app.NewProduct(10);
        var (order, idempotency) = (Api.Order((sku, 1)), Api.NewKey());
        var placed = await app.Caller(former).Post("/api/v1/orders", order, idempotency);
        Assert.Equal(201, placed.Status);

        var now = await Print(["renew", name]);
        Assert.Matches("^oms_[0-9a-f]{64}$", now);
        Assert.NotEqual(former, now);
        foreach (var key in new[] { now, former })
            Assert.Equal(placed.Text, (await app.Caller(key).Post("/api/v1/orders", order, idempotency)).Text);
        Assert.Contains("holds, a former value until", Line(await Print(["list"]), name), StringComparison.Ordinal);

        await Print(["forget", name]);
        await OmsApp.Until(() => Status(former), status => status == 401);
        Assert.Equal(200, await Status(now));
        Assert.EndsWith("\tholds", Line(await Print(["list"]), name), StringComparison.Ordinal);
        Assert.Equal(1, await KeyCommand.Run(["forget", name], Keys, TextWriter.Null));
    }

    [Fact]
    public async Task A_former_value_ends_by_itself_and_is_forgotten_within_the_time_that_the_runbook_names()
    {
        var (name, first) = await NewKey();
        var time = new ShiftedTime();
        var ring = new KeyRing(Keys, time, NullLogger<KeyRing>.Instance);
        var second = await Print(["renew", name, "--keep", "3"]);
        Assert.NotNull(await ring.Find(first));
        Assert.NotNull(await ring.Find(second));
        time.Ahead = TimeSpan.FromHours(2.9);
        Assert.NotNull(await ring.Find(first));
        time.Ahead = TimeSpan.FromHours(3.1);
        Assert.Null(await ring.Find(first));
        Assert.NotNull(await ring.Find(second));

        // Renewed again for less: what is older lasts no longer than that.
        time.Ahead = TimeSpan.Zero;
        var third = await Print(["renew", name, "--keep", "1"]);
        ring = new KeyRing(Keys, time, NullLogger<KeyRing>.Instance);
        foreach (var key in new[] { first, second, third }) Assert.NotNull(await ring.Find(key));
        time.Ahead = TimeSpan.FromHours(1.1);
        foreach (var key in new[] { first, second }) Assert.Null(await ring.Find(key));
        Assert.NotNull(await ring.Find(third));

        // Known by heart, and forgotten: it works for as long as the ring may be old, and not longer.
        time.Ahead = TimeSpan.Zero;
        ring = new KeyRing(Keys, time, NullLogger<KeyRing>.Instance);
        Assert.NotNull(await ring.Find(second));
        await Print(["forget", name]);
        time.Ahead = KeyRing.Lifetime + TimeSpan.FromTicks(1);
        Assert.Null(await ring.Find(second));
        Assert.Equal(5, KeyRing.Lifetime.TotalSeconds);
        Assert.Equal(5, RenewedSecrets.Lifetime.TotalSeconds);
    }

    [Fact]
    public async Task A_key_that_others_know_ends_at_once_and_a_revoked_one_with_all_its_values()
    {
        var (name, first) = await NewKey();
        var second = await Print(["renew", name, "--keep", "0"]);
        await OmsApp.Until(() => Status(first), status => status == 401);
        var third = await Print(["renew", name]);
        Assert.Equal((200, 200), (await Status(second), await Status(third)));
        await Print(["revoke", name]);
        await OmsApp.Until(() => Status(second), status => status == 401);
        await OmsApp.Until(() => Status(third), status => status == 401);
        Assert.Equal(1, await KeyCommand.Run(["renew", name], Keys, TextWriter.Null));
        Assert.Equal(401, await Status(third));
    }

    [Fact]
    public async Task Renewals_at_the_same_moment_lose_no_value()
    {
        var (name, first) = await NewKey();
        string[] all = [first, .. await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Print(["renew", name]))))];
        Assert.Equal(all.Length, all.Distinct().Count());
        var ring = new KeyRing(Keys, TimeProvider.System, NullLogger<KeyRing>.Instance);
        foreach (var key in all) Assert.NotNull(await ring.Find(key));
        var stored = Assert.Single(await Keys.List(), k => k.Name == name);
        Assert.Equal(
            all.Select(k => Convert.ToHexString(KeyRing.HashOf(k))).Order(),
            stored.Former.Select(f => f.Hash).Append(stored.Hash).Select(Convert.ToHexString).Order());
    }

    [Fact]
    public async Task Both_values_of_a_key_share_its_rate()
    {
        var (name, former) = await NewKey("--rate", "1");
        var time = new ShiftedTime();
        var ring = new KeyRing(Keys, time, NullLogger<KeyRing>.Instance);
        var before = await ring.Find(former);
        var now = await Print(["renew", name]);
        time.Ahead = KeyRing.Lifetime * 2;
        Assert.Same(before!.Limit, (await ring.Find(now))!.Limit);
        Assert.Same(before.Limit, (await ring.Find(former))!.Limit);
    }

    [Fact]
    public async Task A_process_that_starts_with_a_former_first_key_does_not_bring_it_back()
    {
        await using var own = await OmsApp.Start();
        var now = await Print(["renew", "bootstrap"], own);
        await using (var beside = await own.StartBeside())
        {
            Assert.Equal(200, (await beside.Caller(now).Get("/api/v1/orders")).Status);
            Assert.Equal(200, (await beside.Caller(OmsApp.BootstrapKey).Get("/api/v1/orders")).Status);
        }
        await Print(["forget", "bootstrap"], own);
        await using (var beside = await own.StartBeside())
        {
            Assert.Equal(200, (await beside.Caller(now).Get("/api/v1/orders")).Status);
            Assert.Equal(401, (await beside.Caller(OmsApp.BootstrapKey).Get("/api/v1/orders")).Status);
        }
        // With a key of its own choice, which takes the place of the one before, and with the one before again.
        var chosen = KeyRing.NewKey();
        foreach (var set in new[] { chosen, now })
        {
            await using var beside = await own.StartBeside(("Oms:Bootstrap:ApiKey", set));
            Assert.Equal(200, (await beside.Caller(chosen).Get("/api/v1/orders")).Status);
            Assert.Equal(401, (await beside.Caller(now).Get("/api/v1/orders")).Status);
        }
    }

    [Fact]
    public async Task A_link_of_a_former_secret_opens_until_that_is_forgotten()
    {
        await using var own = await OmsApp.Start();
        await own.AddProduct("L");
        var (before, key) = (Api.Order(("L", 1)), Api.NewKey());
        var placed = await OmsApp.Until(() => own.Api.Post("/api/v1/orders", before, key), a => a.Status == 201);
        var oldLink = LinkOf(placed);
        Assert.True(await Opens(own, oldLink));

        Assert.Equal(0, await LinksCommand.Run(["renew"], own.Database.Source, TextWriter.Null));
        // It is not used yet, and must not be forgotten: processes that have not heard of the new one make links of it.
        Assert.Equal(1, await LinksCommand.Run(["forget"], own.Database.Source, TextWriter.Null));
        await own.Database.Execute("update oms.former_secrets set used_until = now()");
        var end = await own.Database.Ask<DateTime>("select used_until from oms.former_secrets");
        var known = own.Services.GetRequiredService<RenewedSecrets>();
        await OmsApp.Until(() => Task.FromResult(known.OfLinks.Former.SingleOrDefault()?.UsedUntil.UtcDateTime), at => at == end);

        var newLink = LinkOf(await own.Api.Post("/api/v1/orders", Api.Order(("L", 1)), Api.NewKey()));
        Assert.Equal((true, true), (await Opens(own, oldLink), await Opens(own, newLink)));
        Assert.Equal(placed.Text, (await own.Api.Post("/api/v1/orders", before, key)).Text);
        Assert.False(IsSignedBy(known.OfLinks.Former[0].Value, newLink));
        Assert.True(IsSignedBy(known.OfLinks.Value, newLink));
        Assert.True(IsSignedBy(known.OfLinks.Former[0].Value, oldLink));

        Assert.Equal(0, await LinksCommand.Run(["forget"], own.Database.Source, TextWriter.Null));
        await OmsApp.Until(() => Opens(own, oldLink), opens => !opens);
        Assert.True(await Opens(own, newLink));
        var again = LinkOf(await own.Api.Get(placed.Http.Headers.Location!.ToString()));
        Assert.NotEqual(oldLink, again);
        Assert.True(await Opens(own, again));
        Assert.Equal(1, await LinksCommand.Run(["forget"], own.Database.Source, TextWriter.Null));
    }

    [Fact]
    public async Task Former_secrets_of_links_are_limited()
    {
        await using var database = await TestDatabase.Create();
        Assert.Equal(1, await LinksCommand.Run(["renew"], database.Source, TextWriter.Null));
        await new Secrets(database.Source).GetOrCreate(RenewedSecrets.Links, RenewedSecrets.LinkBytes);
        for (var n = 0; n < LinksCommand.MaxFormer; n++)
            Assert.Equal(0, await LinksCommand.Run(["renew"], database.Source, TextWriter.Null));
        Assert.Equal(1, await LinksCommand.Run(["renew"], database.Source, TextWriter.Null));
        Assert.Equal(LinksCommand.MaxFormer, (await new Secrets(database.Source).Find(RenewedSecrets.Links))!.Former.Count);
    }

    public static TheoryData<string[], int> Nonsense => new()
    {
        { ["key"], 2 }, { ["key", "renew"], 2 }, { ["key", "renew", "NAME", "--keep"], 2 }, { ["key", "renew", "NAME", "--keep", "-1"], 2 },
        { ["key", "renew", "NAME", "--keep", "1.5"], 2 }, { ["key", "renew", "NAME", "--keep", "99999999999"], 2 },
        { ["key", "renew", "NAME", "--keep", "8785"], 2 }, { ["key", "renew", "NAME", "--keep", ""], 2 },
        { ["key", "renew", "NAME", "--keep", "24h"], 2 }, { ["key", "renew", "NAME", "--for", "24"], 2 },
        { ["key", "renew", "NAME", "--keep", "1", "--keep", "2"], 2 }, { ["key", "renew", "nobody"], 1 }, { ["key", "renew", ""], 1 },
        { ["key", "renew", "' or true --"], 1 }, { ["key", "renew", "a\nb"], 1 }, { ["key", "forget", "' or true --"], 1 },
        { ["key", "forget"], 2 }, { ["key", "forget", "NAME", "now"], 2 },
        { ["links"], 2 }, { ["links", "renew", "now"], 2 }, { ["links", "renew", "--ahead", "0"], 2 }, { ["links", "Forget"], 2 },
        { ["cookies"], 2 }, { ["cookies", "forget", "all"], 2 }, { ["cookies", "renew", "--all"], 2 },
    };

    [Theory, MemberData(nameof(Nonsense))]
    public async Task What_makes_no_sense_changes_nothing(string[] args, int code)
    {
        var (name, key) = await NewKey();
        string[] rest = [.. args[1..].Select(a => a == "NAME" ? name : a)];
        const string everything =
            """
            select concat((select string_agg(k::text, ' ' order by id) from oms.api_keys k), (select count(*) from oms.former_keys),
              (select string_agg(s::text, ' ' order by name) from oms.secrets s), (select count(*) from oms.former_secrets),
              (select count(*) from oms.cookie_keys))
            """;
        var before = await app.Database.Ask<string>(everything);
        var output = new StringWriter();
        Assert.Equal(code, args[0] switch
        {
            "key" => await KeyCommand.Run(rest, Keys, output),
            "links" => await LinksCommand.Run(rest, app.Database.Source, output),
            _ => await CookiesCommand.Run(rest, app.Database.Source, output),
        });
        Assert.Equal("", output.ToString());
        Assert.Equal(before, await app.Database.Ask<string>(everything));
        Assert.Equal(200, await Status(key));
    }

    async Task<(string Name, string Key)> NewKey(params string[] options)
    {
        var name = $"shop-{Guid.NewGuid():N}";
        return (name, await Print(["add", name, "--scopes", "*", .. options]));
    }

    Task<string> Print(string[] args) => Print(args, app);

    static async Task<string> Print(string[] args, OmsApp of)
    {
        var output = new StringWriter();
        Assert.Equal(0, await KeyCommand.Run(args, new(of.Database.Source), output));
        return output.ToString().Trim();
    }

    async Task<int> Status(string key) => (await app.Caller(key).Get("/api/v1/orders?limit=1")).Status;

    static string Line(string list, string name) => list.Split('\n').Single(l => l.StartsWith(name + "\t", StringComparison.Ordinal)).Trim();

    static string LinkOf(Answer order) =>
        new Uri((order.Json["trackingUrl"] ?? throw new InvalidOperationException($"{order}")).GetValue<string>()).AbsolutePath;

    static async Task<bool> Opens(OmsApp of, string link)
    {
        var page = await of.Caller(null).Get(link);
        Assert.Contains(page.Status, (int[])[200, 404]);
        return page.Status == 200;
    }

    static bool IsSignedBy(byte[] secret, string link) =>
        new TrackingLinks(() => new RenewedSecret(secret, []), TimeSpan.FromDays(400), "", () => "")
            .TryRead(link[(link.LastIndexOf('/') + 1)..], DateTimeOffset.UtcNow, out _);
}
