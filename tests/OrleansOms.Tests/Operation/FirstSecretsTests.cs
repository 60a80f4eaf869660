using OrleansOms.Host;
using OrleansOms.Host.Security;
using OrleansOms.Postgres.Security;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Operation;

/// <summary>The first start makes the first secrets; no start ends one that holds unless it was set to.</summary>
public sealed class FirstSecretsTests : IAsyncLifetime
{
    readonly TestFolder _folder = new();
    TestDatabase _database = null!;

    public async ValueTask InitializeAsync() => _database = await TestDatabase.Create();

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Of_processes_that_begin_a_store_at_once_one_makes_its_secrets_and_tells_them()
    {
        var begun = await Task.WhenAll(Enumerable.Range(0, 6).Select(n => Task.Run(() => Start($"{n}"))));
        var made = Assert.Single(begun, s => s.AreNew);
        var (hash, password) = await Stored();
        Assert.Equal(KeyRing.HashOf(made.ApiKey!), hash);
        Assert.True(OperatorLogin.IsRight(FirstSecrets.AdminName, password, made.AdminPassword!));
        foreach (var other in begun.Where(s => s != made))
            Assert.Equal((null, null, false), (other.ApiKey, other.AdminPassword, Directory.Exists(other.Folder)));

        // It has kept them, and is not told twice that they are new.
        var again = begun.Index().Single(s => s.Item == made).Index;
        Assert.Equal(made with { AreNew = false }, await Start($"{again}"));
        Assert.Equal(hash, (await Stored()).Hash);
    }

    [Fact]
    public async Task What_a_process_has_only_kept_ends_nothing_that_holds_and_what_is_set_does()
    {
        await Start("winner");
        var before = await Stored();
        Directory.CreateDirectory(Path.Combine(_folder.Path, "loser", "secrets"));
        var (key, password) = (KeyRing.NewKey(), "never the one that holds");
        await File.WriteAllTextAsync(Path.Combine(_folder.Path, "loser", "secrets", "api-key"), key);
        await File.WriteAllTextAsync(Path.Combine(_folder.Path, "loser", "secrets", "admin-password"), password);

        var loser = await Start("loser");
        Assert.Equal((null, null, false, false), (loser.ApiKey, loser.AdminPassword, loser.AreNew, loser.IsFormerKey));
        var after = await Stored();
        Assert.Equal(before.Hash, after.Hash);
        Assert.Equal(before.Password, after.Password);

        var set = await Start("loser", key, password);
        Assert.Equal((key, password, false), (set.ApiKey, set.AdminPassword, set.AreNew));
        Assert.Equal(KeyRing.HashOf(key), (await Stored()).Hash);
        Assert.True(OperatorLogin.IsRight(FirstSecrets.AdminName, (await Stored()).Password, password));
    }

    [Fact]
    public async Task What_was_kept_is_brought_to_a_database_that_has_none()
    {
        var first = await Start("a");
        await _database.Execute("delete from oms.api_keys; delete from oms.operators");
        Assert.Equal(first with { AreNew = false }, await Start("a"));
        Assert.Equal(KeyRing.HashOf(first.ApiKey!), (await Stored()).Hash);
    }

    Task<FirstSecrets> Start(string folder, string? key = null, string? password = null) => FirstSecrets.Prepare(
        new HostSettings
        {
            Data = Path.Combine(_folder.Path, folder), Bootstrap = new() { ApiKey = key, AdminPassword = password },
        },
        _database.Source);

    async Task<(byte[] Hash, string Password)> Stored() => (
        Assert.Single(await new ApiKeys(_database.Source).List()).Hash,
        (await new Operators(_database.Source).Find(FirstSecrets.AdminName))!.PasswordHash);
}
