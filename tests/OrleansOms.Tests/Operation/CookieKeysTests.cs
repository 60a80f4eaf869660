using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OrleansOms.Host.Commands;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Operation;

/// <summary>The keys of cookies are renewed beside running front ends: nobody is logged out unless that is asked for.</summary>
public sealed class CookieKeysTests
{
    /// <summary>As if everything had happened four days before.</summary>
    const string DaysLater =
        """
        update oms.cookie_keys set xml = replace(xml, made[1], replace(earlier::text, ' ', 'T') || 'Z')
        from (select name as key, regexp_matches(xml, 'activationDate>([^<]*)<') as made from oms.cookie_keys) dates,
          lateral (select (made[1]::timestamptz at time zone 'UTC') - interval '4 days' as earlier) moved
        where name = key
        """;

    [Fact]
    public async Task Cookies_of_a_former_key_hold_until_it_is_forgotten_on_front_ends_that_run()
    {
        await using var app = await OmsApp.Start();
        var first = Protect(app);
        Assert.Equal(0, await Cookies(app, "renew"));
        Assert.Equal(2, await app.Database.Ask<long>("select count(*) from oms.cookie_keys"));
        Assert.Equal(1, await Cookies(app, "forget"));
        Assert.True(Holds(app, first));

        // Who begins before the new key is used knows it, and uses the one of before.
        await using (var early = await app.StartBeside())
            Assert.Equal(KeyOf(first), KeyOf(Protect(early)));
        await app.Database.Execute(DaysLater);
        await app.Restart();
        await using var beside = await app.StartBeside();
        var second = Protect(beside);
        Assert.NotEqual(KeyOf(first), KeyOf(second));
        Assert.Equal((true, true), (Holds(beside, first), Holds(beside, second)));

        Assert.Equal(0, await Cookies(app, "forget"));
        foreach (var front in new[] { app, beside })
        {
            await OmsApp.Until(() => Task.FromResult(Holds(front, first)), holds => !holds);
            Assert.True(Holds(front, second));
        }
        Assert.Equal(KeyOf(second), KeyOf(Protect(app)));
        Assert.Equal(1, await Cookies(app, "forget"));

        Assert.Equal(0, await Cookies(app, "forget", "--all"));
        foreach (var front in new[] { app, beside })
            await OmsApp.Until(() => Task.FromResult(Holds(front, second)), holds => !holds);
        var third = Protect(app);
        Assert.Equal((true, true), (Holds(app, third), Holds(beside, third)));
        Assert.Equal(KeyOf(third), KeyOf(Protect(beside)));
    }

    /// <summary><see cref="Chaos.TwoBuildsTests"/> logs in at one build and goes on at the next, which lies elsewhere.</summary>
    [Fact]
    public async Task Where_the_program_lies_is_no_part_of_a_cookie()
    {
        await using var app = await OmsApp.Start();
        Assert.Equal("OrleansOms", app.Services.GetRequiredService<IOptions<DataProtectionOptions>>().Value.ApplicationDiscriminator);
    }

    static Task<int> Cookies(OmsApp app, params string[] args) => CookiesCommand.Run(args, app.Database.Source, TextWriter.Null);

    static IDataProtector Of(OmsApp app) => app.Services.GetRequiredService<IDataProtectionProvider>().CreateProtector("test");

    static byte[] Protect(OmsApp app) => Of(app).Protect([1, 2, 3]);

    /// <summary>What was protected names its key after four bytes that say what it is.</summary>
    static Guid KeyOf(byte[] text) => new(text.AsSpan(4, 16));

    static bool Holds(OmsApp app, byte[] text)
    {
        try { return Of(app).Unprotect(text) is [1, 2, 3]; }
        catch (CryptographicException) { return false; }
    }
}
