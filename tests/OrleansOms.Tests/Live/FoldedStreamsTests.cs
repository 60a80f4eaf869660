using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Orders;
using OrleansOms.Host.Live;

namespace OrleansOms.Tests.Live;

public sealed class FoldedStreamsTests
{
    sealed record Count(int Version);

    readonly HashSet<string> _wanted = ["a", "b", "c"];
    readonly List<(string Stream, int Version)> _published = [];
    readonly FoldedStreams<Count> _streams;

    public FoldedStreamsTests() => _streams = new(
        2, _ => new Count(0), (c, e) => new Count(e.Version), c => c.Version, _wanted.Contains,
        (stream, c) => _published.Add((stream, c.Version)));

    void Take(string stream, params int[] versions)
    {
        foreach (var version in versions)
            _streams.Take(new LogEvent(default, stream, version, "x", new OrderClosed(), "", "", default));
        _streams.Publish();
    }

    [Fact]
    public void A_stream_is_folded_from_its_birth_and_told_once_a_batch()
    {
        Take("a", 1, 2, 3);
        Assert.Equal([("a", 3)], _published);
        Assert.Equal(0, _streams.Missing);
    }

    [Fact]
    public void A_stream_that_a_newer_program_goes_on_with_is_given_up_and_never_told_wrongly()
    {
        Take("a", 1, 2);
        Take("b", 1);
        _streams.Take(new LogEvent(default, "a", 3, "x.v2", null, "", "", default));
        _streams.Publish();
        Take("b", 2);
        Assert.Equal([("a", 2), ("b", 1), ("b", 2)], _published);
        Assert.Equal(0, _streams.Missing);
        // It is read from the log, where what is not known is found again.
        Take("a", 4);
        Assert.Equal(["a"], _streams.NextMissing(10));
        _streams.Forget("a");
        Assert.Equal(0, _streams.Missing);
        Assert.Equal([("a", 2), ("b", 1), ("b", 2)], _published);
    }

    [Fact]
    public void Events_that_were_seen_before_change_nothing()
    {
        Take("a", 1, 2);
        Take("a", 1, 2);
        Assert.Equal([("a", 2)], _published);
    }

    [Fact]
    public void A_stream_whose_beginning_is_not_in_memory_is_missing_until_it_was_read_far_enough()
    {
        Take("a", 5, 6);
        Assert.Empty(_published);
        Assert.Equal(["a"], _streams.NextMissing(10));
        _streams.Set("a", new Count(5), isChange: true);
        Assert.Equal(["a"], _streams.NextMissing(10));
        _streams.Set("a", new Count(7), isChange: true);
        _streams.Publish();
        Assert.Equal(0, _streams.Missing);
        Assert.Equal(("a", 7), _published[^1]);
        Take("a", 7, 8);
        Assert.Equal(("a", 8), _published[^1]);
    }

    [Fact]
    public void A_state_that_was_read_late_does_not_take_a_newer_one_back()
    {
        Take("a", 1, 2, 3);
        _streams.Set("a", new Count(2), isChange: true);
        _streams.Publish();
        Assert.Equal([("a", 3)], _published);
    }

    [Fact]
    public void What_a_newcomer_has_read_is_told_to_the_others_when_the_tail_gets_there()
    {
        Take("a", 1, 2, 3);
        _streams.Set("a", new Count(5), isChange: false);
        Take("a", 4);
        Assert.Equal([("a", 3)], _published);
        Take("a", 5);
        Assert.Equal([("a", 3), ("a", 5)], _published);
        Take("a", 5);
        Assert.Equal(2, _published.Count);
    }

    [Fact]
    public void What_is_missing_and_read_by_a_newcomer_is_told_to_the_others_at_once()
    {
        Take("a", 5);
        _streams.Set("a", new Count(5), isChange: false);
        _streams.Publish();
        Assert.Equal([("a", 5)], _published);
        Assert.Equal(0, _streams.Missing);
    }

    [Fact]
    public void Memory_is_bounded_and_what_fell_out_of_it_is_read_again()
    {
        Take("a", 1);
        Take("b", 1);
        Take("c", 1);
        Assert.Equal(2, _streams.Count);
        Take("a", 2);
        Assert.Equal(["a"], _streams.NextMissing(10));
        Assert.Equal(3, _published.Count);
    }

    [Fact]
    public void More_changes_in_a_batch_than_fit_are_all_told()
    {
        foreach (var stream in _wanted) _streams.Take(new LogEvent(default, stream, 1, "x", new OrderClosed(), "", "", default));
        _streams.Publish();
        Assert.Equal(["a", "b", "c"], _published.Select(p => p.Stream).Order());
    }

    [Fact]
    public void What_nobody_wants_is_neither_folded_nor_kept()
    {
        Take("a", 1);
        _wanted.Remove("a");
        Take("a", 2);
        Assert.Equal(0, _streams.Count);
        _wanted.Add("a");
        Take("a", 3);
        Assert.Equal(["a"], _streams.NextMissing(10));
        Assert.Equal([("a", 1)], _published);
    }
}
