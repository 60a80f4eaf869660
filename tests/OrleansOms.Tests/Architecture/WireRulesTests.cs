using OrleansOms.Tests.Architecture.Samples;
using OrleansOms.Tests.Log;

namespace OrleansOms.Tests.Architecture;

public sealed class WireRulesTests
{
    [Fact]
    public void Everything_on_the_wire_has_an_alias_and_numbered_members() =>
        Assert.Empty(WireRules.Breaches(OurCode.Types));

    [Fact]
    public void Grains_and_their_interfaces_have_names_of_their_own() =>
        Assert.Empty(WireRules.GrainBreaches(OurCode.Types));

    [Fact]
    public void Members_of_enums_on_the_wire_have_numbers() =>
        Assert.Empty(WireRules.EnumBreaches(OurCode.Types, OurCode.Sources("*.cs")));

    /// <summary>Two versions speak with each other while a cluster is upgraded: what was said once keeps its meaning.</summary>
    [Fact]
    public void What_was_said_once_on_the_wire_is_said_for_ever() => GoldenFiles.IsWithin(
        "wire.txt", string.Join('\n', WireRules.Shape(OurCode.Types).Order(StringComparer.Ordinal)));

    /// <summary>
    /// A front end is told of no silo's death; it waits for each call as long as a silo may be silent. One that waits longer
    /// outlives its silo.
    /// </summary>
    [Fact]
    public void No_call_of_a_grain_has_a_time_limit_of_its_own() => Assert.Empty(OurCode.Types.Where(t => t.IsInterface)
        .SelectMany(t => t.GetMethods()).Where(m => m.IsDefined(typeof(ResponseTimeoutAttribute), false)).Select(m => m.Name));

    [Fact]
    public void A_number_that_means_something_else_is_another_shape()
    {
        Assert.Equal(["sample.numbered 0 First String", "sample.numbered 1 Second List<Int32>"], WireRules.Shape([typeof(Numbered)]));
        Assert.Equal(["sample.word 0 Good", "sample.word 4 Bad"], WireRules.Shape([typeof(Word)]));
    }

    [Fact]
    public void There_is_something_to_hold_the_rules_against()
    {
        Assert.True(OurCode.Types.Count(t => t.IsDefined(typeof(Orleans.GenerateSerializerAttribute), false)) > 20);
        Assert.True(OurCode.Types.Count(WireRules.IsGrainClass) > 5);
    }

    [Theory]
    [InlineData(typeof(NoAlias), "NoAlias: no [Alias]")]
    [InlineData(typeof(NoIds), "NoIds.Name: no [Id]", "NoIds.Count: no [Id]")]
    [InlineData(typeof(HiddenField), "HiddenField._hidden: no [Id]")]
    [InlineData(typeof(SameIds), "SameIds: [Id(0)] twice: First, Second")]
    [InlineData(typeof(OfPlainBase), "OfPlainBase: its base PlainBase has no [GenerateSerializer]")]
    public void Careless_type_on_the_wire_is_a_breach(Type type, params string[] breaches) =>
        Assert.Equal(breaches, WireRules.Breaches([type]));

    [Fact]
    public void What_wire_types_hold_and_grains_speak_of_must_be_on_the_wire_too() => Assert.Equal(
        ["Mood: goes over the wire without [GenerateSerializer]", "Unsaid: goes over the wire without [GenerateSerializer]"],
        WireRules.Breaches([typeof(Holder), typeof(Mood), typeof(Unsaid), typeof(ISpeaking)]).Order());

    [Fact]
    public void Alias_of_two_types_is_a_breach() => Assert.Equal(
        ["alias bad.twice: of One and Two"], WireRules.Breaches([typeof(One), typeof(Two)]));

    [Fact]
    public void Nameless_grains_are_breaches() => Assert.Equal(
        [
            "INameless.Go: no [Alias]", "INameless: its key is not a string", "INameless: no [Alias]",
            "NamelessGrain: no [GrainType]", "grain type oms-mystery: of FirstGrain and SecondGrain",
        ],
        WireRules.GrainBreaches([typeof(INameless), typeof(NamelessGrain), typeof(FirstGrain), typeof(SecondGrain)])
            .Order(StringComparer.Ordinal));

    [Theory]
    [InlineData("enum Unnumbered { Good, Bad = 1 }", "Unnumbered.Good: no number")]
    [InlineData("enum Unnumbered { /* = 0, */ Good, // = 0\n [Obsolete(\"a\")] Bad = 1, }", "Unnumbered.Good: no number")]
    [InlineData("enum Other { Good = 0 }", "Unnumbered: its source was not found")]
    public void Enum_on_the_wire_without_numbers_is_a_breach(string source, string breach)
    {
        Assert.Equal([breach], WireRules.EnumBreaches([typeof(Unnumbered)], [source]));
        Assert.Empty(WireRules.EnumBreaches([typeof(Unnumbered)], ["enum Unnumbered : byte { [X] Good = 0, Bad = 1 << 3 }"]));
    }
}
