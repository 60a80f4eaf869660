using OrleansOms.Domain.Shared;

namespace OrleansOms.Domain.Tests.Shared;

public sealed class IdMemoryTests
{
    static readonly DateTimeOffset Now = new(2026, 7, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory, InlineData(5), InlineData(6), InlineData(7)]
    public void Ids_are_forgotten_by_their_age_too_and_a_version_stays_as_it_is(int seed)
    {
        var random = new Random(seed);
        List<(IdMemory Is, string[] Should)> versions = [];
        var (memory, all, at) = (IdMemory.None(), new List<(string Id, DateTimeOffset At)>(), Now);
        for (var n = 0; n < 500; n++)
        {
            at += TimeSpan.FromSeconds(1 + random.Next(3));
            memory = memory.Add($"id-{n}", at, at.AddSeconds(-20));
            all.Add(($"id-{n}", at));
            versions.Add((memory, [.. all.Where(e => e.At >= at.AddSeconds(-20)).Select(e => e.Id)]));
        }

        foreach (var (now, should) in versions)
        {
            Assert.Equal(should, now.Order);
            for (var n = 0; n < 500; n++) Assert.Equal(should.Contains($"id-{n}"), now.Contains($"id-{n}"));
        }
    }

    [Fact]
    public void Many_old_ones_are_forgotten_little_by_little()
    {
        var memory = IdMemory.Of([.. Enumerable.Range(0, 100).Select(n => $"old-{n}")], Now);
        var before = memory;
        for (var n = 0; n < 50; n++)
        {
            var next = memory.Add($"new-{n}", Now.AddHours(1), Now.AddMinutes(1));
            Assert.InRange(memory.Count - next.Count, -1, 3);
            memory = next;
        }
        Assert.Equal(Enumerable.Range(0, 50).Select(n => $"new-{n}"), memory.Order);
        Assert.Equal(100, before.Order.Count(id => before.Contains(id)));
    }

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
        var memory = Enumerable.Range(0, IdMemory.Capacity + 10).Aggregate(IdMemory.None(), (known, i) => known.Add($"c{i}"));
        Assert.False(memory.Contains("c9"));
        Assert.True(memory.Contains("c10"));

        var again = IdMemory.Of(["old", .. memory.Order]);
        Assert.Equal(memory.Order, again.Order);
        Assert.False(again.Contains("old"));
        Assert.Equal(memory.Add("one more").Order, again.Add("one more").Order);
        Assert.Equal(["a", "b"], IdMemory.Of(["a", "b", "a"]).Order);
    }
}
