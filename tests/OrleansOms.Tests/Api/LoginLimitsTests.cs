using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using OrleansOms.Host.Security;
using OrleansOms.Postgres.Security;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.ApiTests;

/// <summary>A stranger's logins cost little, and keep nobody out who comes from elsewhere.</summary>
public sealed class LoginLimitsTests
{
    const string Form = "application/x-www-form-urlencoded";

    static readonly (string Name, string Value) Believes = ("ForwardedHeaders_Enabled", "true");

    [Theory]
    [InlineData("/login"), InlineData("/logout")]
    public async Task A_form_that_is_too_long_or_none_is_refused(string path)
    {
        await using var app = await OmsApp.Start();
        using var stranger = new LoginBrowser(app);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge,
            await stranger.Send(path, "name=" + new string('n', OperatorLogin.MaxFormBytes), Form));
        Assert.Equal(HttpStatusCode.BadRequest, await stranger.Send(path, string.Join('&', Enumerable.Repeat("a", 5000)), Form));
        Assert.Equal(HttpStatusCode.BadRequest, await stranger.Send(path, "name=a%00b", Form));
        Assert.Equal(HttpStatusCode.Redirect, await stranger.Send(path, "name=admin", "text/plain"));
    }

    [Fact]
    public async Task Nothing_is_remembered_of_a_name_that_is_nobodys()
    {
        await using var app = await OmsApp.Start(Believes);
        using var stranger = new LoginBrowser(app, "203.0.113.1");
        string[] nobodys = [new('n', OperatorLogin.LongestName + 1), "a\u0001b", " "];
        // What is remembered is throttled at the sixth time.
        foreach (var name in nobodys)
            for (var n = 0; n < 40; n++) Assert.Equal("/login?error=invalid&returnUrl=%2F", await stranger.LogIn(name, "guess", "/"));
        for (var n = 0; n < 40; n++)
            Assert.Equal("/login?error=invalid&returnUrl=%2F", await stranger.LogIn("admin", new('p', OperatorLogin.LongestPassword + 1), "/"));
        Assert.Equal("/", await stranger.LogIn("admin", OmsApp.AdminPassword, "/"));
    }

    [Fact]
    public async Task Many_names_from_one_address_are_slowed_down_and_nobody_from_another_one()
    {
        var clock = new FakeTimeProvider();
        await using var app = new OmsApp
        {
            Settings = new() { [Believes.Name] = Believes.Value },
            Adjust = s => s.AddSingleton(p => ActivatorUtilities.CreateInstance<OperatorLogin>(p, clock)),
        };
        await app.InitializeAsync();
        using var stranger = new LoginBrowser(app, "2001:db8:1:2::1");
        using var neighbour = new LoginBrowser(app, "2001:db8:1:2:ffff::2");
        using var admin = new LoginBrowser(app, "2001:db8:1:3::1");
        for (var n = 0; n < 60; n++)
            Assert.Equal("/login?error=invalid&returnUrl=%2F", await stranger.LogIn($"nobody-{n}", "Password1", "/"));
        Assert.Equal("/login?error=throttled&returnUrl=%2F", await stranger.LogIn("one more", "Password1", "/"));
        Assert.Equal("/login?error=throttled&returnUrl=%2F", await neighbour.LogIn("one more", "Password1", "/"));
        Assert.Equal("/", await admin.LogIn("admin", OmsApp.AdminPassword, "/"));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("/login?error=invalid&returnUrl=%2F", await neighbour.LogIn("one more", "Password1", "/"));
        Assert.Equal("/login?error=throttled&returnUrl=%2F", await neighbour.LogIn("one more", "Password1", "/"));
    }

    [Fact]
    public async Task A_shift_behind_one_address_logs_in_at_once()
    {
        await using var app = await OmsApp.Start(Believes);
        var person = new Operator("picker", OperatorLogin.HashOf("picker", "secret"), [], null);
        List<LoginBrowser> shift = [.. Enumerable.Range(0, 50).Select(_ => new LoginBrowser(app, "203.0.113.1"))];
        var operators = new Operators(app.Database.Source);
        for (var n = 0; n < shift.Count; n++) await operators.Put(person with { Name = $"picker-{n}" });
        var answers = await Task.WhenAll(shift.Select((browser, n) => browser.LogIn($"picker-{n}", "secret", "/orders")));
        Assert.All(answers, answer => Assert.Equal("/orders", answer));
        shift.ForEach(browser => browser.Dispose());
    }

    [Fact]
    public async Task However_many_come_at_once_few_passwords_are_tried_at_once_and_few_wait()
    {
        await using var app = await OmsApp.Start(Believes);
        using var enough = new CancellationTokenSource();
        var answers = await Task.WhenAll(Enumerable.Range(1, 200).Select(async n =>
        {
            using var stranger = new LoginBrowser(app, $"203.0.113.{n}");
            try
            {
                using var answer = await stranger.Post("admin", "guess", "/", cancel: enough.Token);
                var said = answer.Headers.Location!.OriginalString;
                if (said.Contains("throttled", StringComparison.Ordinal)) await enough.CancelAsync();
                return said;
            }
            catch (OperationCanceledException) { return "gone"; }
        }));
        Assert.Contains("/login?error=throttled&returnUrl=%2F", answers);
        // Those who have gone wait no more, and who was sent away because of them has lost no try.
        using var admin = new LoginBrowser(app, "198.51.100.1");
        await OmsApp.Until(() => admin.LogIn("admin", OmsApp.AdminPassword, "/"), said => said == "/");
    }

    [Fact]
    public void What_is_full_again_is_forgotten_after_a_while()
    {
        var time = new FakeTimeProvider();
        var buckets = new TokenBuckets(time, perSecond: 0.1, atOnce: 5);
        for (var n = 0; n < 100; n++) Assert.True(buckets.TryTake($"{n}", out _));
        for (var n = 0; n < 4; n++) Assert.True(buckets.TryTake("busy", out _));
        time.Advance(TimeSpan.FromSeconds(20));
        Assert.True(buckets.TryTake("busy", out _));
        Assert.Equal(1, buckets.Count);
        for (var n = 0; n < 2; n++) Assert.True(buckets.TryTake("busy", out _));
        Assert.False(buckets.TryTake("busy", out _));
    }
}
