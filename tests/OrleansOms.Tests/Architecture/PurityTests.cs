using System.Diagnostics;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Tests.Architecture;

public sealed class PurityTests
{
    [Fact]
    public void Domain_is_pure() =>
        Assert.Empty(Purity.Breaches(typeof(Keys).Assembly.GetTypes().Where(OurCode.IsWritten)));

    [Fact]
    public void Sql_code_calls_no_grains() => Assert.DoesNotContain(
        OurCode.Types.Where(t => t.Assembly.GetName().Name == "OrleansOms.Postgres")
            .SelectMany(t => t.GetConstructors().SelectMany(c => c.GetParameters()).Select(p => p.ParameterType.Name)),
        name => name is "IGrainFactory" or "IClusterClient" or "IGrainContext");

    [Theory]
    [InlineData(typeof(Clocks), "DateTime.get_UtcNow", "DateTimeOffset.get_Now", "Stopwatch.StartNew", "TimeProvider.get_System")]
    [InlineData(typeof(Chances), "Guid.NewGuid", "Random.get_Shared", "RandomNumberGenerator.Fill")]
    [InlineData(typeof(Outsides), "Environment.GetEnvironmentVariable", "File.ReadAllText", "Dns.GetHostName")]
    [InlineData(typeof(Waits), "Tasks.Task`1")]
    [InlineData(typeof(Memories), "Count: static and not readonly")]
    [InlineData(typeof(Locks), "Monitor.Enter")]
    public void Impure_code_is_a_breach(Type type, params string[] uses)
    {
        var breaches = Purity.Breaches([type, .. type.GetNestedTypes(System.Reflection.BindingFlags.NonPublic)]);
        Assert.All(uses, use => Assert.Contains(breaches, b => b.EndsWith(use, StringComparison.Ordinal)));
    }

    [Fact]
    public void Iterators_switches_and_generics_are_pure() => Assert.Empty(
        Purity.Breaches([typeof(Fine), .. typeof(Fine).GetNestedTypes(System.Reflection.BindingFlags.NonPublic)]));

    // Bad on purpose.
    static class Clocks
    {
        public static object[] Read() =>
            [DateTime.UtcNow, DateTimeOffset.Now.Date, Stopwatch.StartNew(), TimeProvider.System];
    }

    static class Chances
    {
        public static IEnumerable<object> Draw()
        {
            yield return Guid.NewGuid();
            yield return new Func<int>(() => Random.Shared.Next())();
            var bytes = new byte[1];
            System.Security.Cryptography.RandomNumberGenerator.Fill(bytes);
        }
    }

    static class Outsides
    {
        public static string? Look(string path) => path.Length switch
        {
            0 => Environment.GetEnvironmentVariable(path),
            1 => File.ReadAllText(path),
            _ => System.Net.Dns.GetHostName(),
        };
    }

    static class Waits
    {
        public static Task<int> Wait(Task<int> other) => other;
    }

    static class Memories
    {
        public static int Count;
        public static int Next() => ++Count;
    }

    static class Locks
    {
        static readonly object Gate = new();
        public static int Take()
        {
            lock (Gate) return 1;
        }
    }

    // Good, though the compiler makes much of it.
    static class Fine
    {
        static readonly Dictionary<string, decimal> Rates = new() { ["GB"] = 0.2m };

        public static IEnumerable<T> Every<T>(IEnumerable<T> all, int n) where T : notnull
        {
            var i = 0;
            foreach (var one in all.Where(x => x.GetHashCode() != n))
                if (i++ % n == 0) yield return one;
        }

        public static decimal RateOf(string country) => country switch
        {
            "GB" or "IE" => Rates.GetValueOrDefault(country), "FR" => 0.2m, "DE" => 0.19m, "IT" => 0.22m,
            "ES" => 0.21m, "NL" => 0.21m, "BE" => 0.21m, _ => default,
        };
    }
}
