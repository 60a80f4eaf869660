using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using OrleansOms.Host.Commands;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Operation;

/// <summary>The keys of cookies are renewed beside running front ends: nobody is logged out unless that is asked for.</summary>
public sealed class CookieKeysTests
{
    /// <summary>Both keys are older than two days, and the one that was made later is used.</summary>
    const string DaysLater =
        """
        update oms.cookie_keys set xml = regexp_replace(regexp_replace(xml, '<creationDate>[^<]*', '<creationDate>'
            || to_char(now() at time zone 'UTC' - interval '5 days', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')), '<activationDate>[^<]*', '<activationDate>'
            || to_char(now() at time zone 'UTC' - case when name = (select min(name) from first) then interval '9 days' else interval '5 days' end, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
        where name like 'key-%'
        """;

    [Fact]
    public async Task Cookies_of_a_former_key_hold_until_it_is_forgotten_on_front_ends_that_run()
    {
        await using var app = await OmsApp.Start();
        var first = Protect(app);
        var name = await app.Database.Ask<string>("select name from oms.cookie_keys");
        Assert.Equal(0, await Cookies(app, "renew"));
        Assert.Equal(2, await app.Database.Ask<long>("select count(*) from oms.cookie_keys"));
        Assert.Equal(1, await Cookies(app, "forget"));
        Assert.True(Holds(app, first));

        await app.Database.Execute($"with first as (select '{name}' as name) {DaysLater}");
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
