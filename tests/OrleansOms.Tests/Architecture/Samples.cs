// Bad on purpose: each of these breaks a rule, and a test shows that the rule's check sees it.
#pragma warning disable CS0169, CS0414
namespace OrleansOms.Tests.Architecture.Samples;

[AttributeUsage(AttributeTargets.All)]
sealed class GenerateSerializerAttribute : Attribute;

[AttributeUsage(AttributeTargets.All)]
sealed class AliasAttribute(string alias) : Attribute
{
    public string Alias => alias;
}

[AttributeUsage(AttributeTargets.All)]
sealed class IdAttribute(uint id) : Attribute
{
    public uint Id => id;
}

[AttributeUsage(AttributeTargets.Class)]
sealed class GrainTypeAttribute(string name) : Attribute
{
    public string Name => name;
}

interface IGrain;
interface IGrainWithStringKey : IGrain;
interface IGrainWithGuidKey : IGrain;
interface IGrainBase;

[GenerateSerializer]
sealed record NoAlias([property: Id(0)] string Name);

[GenerateSerializer, Alias("bad.no-ids")]
sealed record NoIds(string Name, int Count);

[GenerateSerializer, Alias("bad.hidden-field")]
sealed class HiddenField
{
    readonly int _hidden = 1;
    [NonSerialized] readonly int _cached = 1;
    [Id(0)] public int Shown { get; set; }
    public int Sum => _hidden + _cached + Shown;
}

[GenerateSerializer, Alias("sample.numbered")]
sealed record Numbered([property: Id(0)] string First, [property: Id(1)] List<int> Second);

[GenerateSerializer, Alias("sample.word")]
enum Word
{
    Good = 0,
    Bad = 4,
}

[GenerateSerializer, Alias("bad.same-ids")]
sealed record SameIds([property: Id(0)] string First, [property: Id(0)] string Second);

class PlainBase
{
    public int Lost { get; set; }
}

[GenerateSerializer, Alias("bad.of-plain-base")]
sealed class OfPlainBase : PlainBase;

enum Mood { Good, Bad }

sealed record Unsaid(string Word);

[GenerateSerializer, Alias("bad.holder")]
sealed record Holder([property: Id(0)] IReadOnlyList<Mood?> Moods);

[Alias("bad.ISpeaking")]
interface ISpeaking : IGrainWithStringKey
{
    [Alias("Speak")]
    Task<Unsaid[]> Speak();
}

[GenerateSerializer, Alias("bad.twice")]
sealed record One;

[GenerateSerializer, Alias("bad.twice")]
sealed record Two;

[GenerateSerializer, Alias("bad.unnumbered")]
enum Unnumbered { Good, Bad }

interface INameless : IGrainWithGuidKey
{
    Task Go();
}

sealed class NamelessGrain : IGrainBase;

[GrainType("oms-mystery")]
sealed class FirstGrain : IGrainBase;

[GrainType("oms-mystery")]
sealed class SecondGrain : IGrainBase;

static class HexadecimalKeys
{
    public const string Mystery = "bad-";
    public const string Order = "ord-";
    public const string OrderLine = "ord-line-";
}
