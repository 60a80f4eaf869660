using OrleansOms.Domain.Shared;
using OrleansOms.Tests.Architecture.Samples;

namespace OrleansOms.Tests.Architecture;

public sealed class KeyRulesTests
{
    static readonly Type[] Grains = [.. OurCode.Types.Where(WireRules.IsGrainClass)];

    [Fact]
    public void No_prefix_can_begin_a_number_or_a_guid_or_another_prefix()
    {
        var prefixes = KeyRules.PrefixesOf(typeof(Keys)).ToDictionary();
        foreach (var family in Grains.Select(KeyRules.FamilyPrefixOf).OfType<string>().Distinct())
            prefixes.Add($"family {family}", family);
        Assert.True(prefixes.Count > 6);
        Assert.Empty(KeyRules.Breaches(prefixes));
    }

    [Fact]
    public void Every_grain_has_its_prefix_and_every_prefix_its_grain() =>
        Assert.Empty(KeyRules.Unmatched(Grains, KeyRules.PrefixesOf(typeof(Keys))));

    [Fact]
    public void Prefix_that_could_be_mistaken_is_a_breach()
    {
        Assert.Equal(
            ["Mystery: bad- may begin a number or a GUID", "OrderLine: ord-line- begins like Order"],
            KeyRules.Breaches(KeyRules.PrefixesOf(typeof(HexadecimalKeys))));
        Assert.NotEmpty(KeyRules.Breaches(new Dictionary<string, string> { ["A"] = "0x-" }));
        Assert.NotEmpty(KeyRules.Breaches(new Dictionary<string, string> { ["A"] = "ord" }));
    }

    [Fact]
    public void Grain_without_prefix_and_prefix_without_grain_are_breaches() => Assert.Equal(
        ["FirstGrain: its keys have no prefix", "Order: a prefix that no grain has"],
        KeyRules.Unmatched([typeof(FirstGrain)], new Dictionary<string, string> { ["Order"] = "ord-" }));
}
