using OrleansOms.Domain.Shared;

namespace OrleansOms.Domain.Tests.Shared;

public sealed class IdMemoryTests
{
    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public void Every_version_stays_as_it_is_whatever_is_made_of_it_later(int seed)
    {
        var random = new Random(seed);
        string[] full = [.. Enumerable.Range(0, IdMemory.Capacity - 10).Select(n => $"full-{n}")];
        List<(IdMemory Is, string[] Should)> versions = [(IdMemory.Of(full), full)];
        for (var step = 0; step < 300; step++)
        {
            // Mostly the newest goes on; now and then an older one gets another future.
            var (now, should) = random.Next(10) == 0 ? versions[random.Next(versions.Count)] : versions[^1];
            // Some of them are known, some were, and are forgotten by then.
            var id = random.Next(2) == 0 ? $"full-{random.Next(200)}" : $"id-{random.Next(200)}";
            versions.Add((now.Add(id), should.Contains(id) ? should : [.. should.Append(id).TakeLast(IdMemory.Capacity)]));
        }

        foreach (var (now, should) in versions)
        {
            Assert.Equal(should.Length, now.Count);
            Assert.Equal(should, now.Order);
            var known = should.ToHashSet();
            for (var n = 0; n < 200; n++)
                foreach (var id in new[] { $"full-{n}", $"id-{n}" }) Assert.Equal(known.Contains(id), now.Contains(id));
        }
    }

    [Fact]
    public void What_was_stored_is_remembered_as_it_was()
    {
        var memory = IdMemory.None().AddRange(Enumerable.Range(0, IdMemory.Capacity + 10).Select(i => $"c{i}"));
        Assert.False(memory.Contains("c9"));
        Assert.True(memory.Contains("c10"));

        var again = IdMemory.Of(["old", .. memory.Order]);
        Assert.Equal(memory.Order, again.Order);
        Assert.False(again.Contains("old"));
        Assert.Equal(memory.Add("one more").Order, again.Add("one more").Order);
        Assert.Equal(["a", "b"], IdMemory.Of(["a", "b", "a"]).Order);
    }
}
