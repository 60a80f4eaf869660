using OrleansOms.Contracts.Log;
using OrleansOms.Postgres.Log;

namespace OrleansOms.Tests.Log;

public sealed class RecentEventsTests
{
    static readonly LogPosition Beginning = At(0);

    readonly RecentEvents _recent = new(new EventLogOptions { MaxRecentEvents = 100 });
    int _known;

    public RecentEventsTests() => Assert.NotNull(_recent.Begin(Beginning, _recent.LookAt(Beginning)));

    [Fact]
    public void What_every_reader_has_read_is_forgotten()
    {
        Add(10);
        Assert.Equal([.. Numbers(1, 10)], Read(0, 50));
        Assert.Equal([.. Numbers(1, 10)], Read(0, 50));
        Add(1);

        Assert.Null(_recent.Read(Beginning, 50));
        Assert.Equal([11], Read(10, 50));
    }

    [Fact]
    public void What_one_of_them_has_not_read_is_kept()
    {
        Add(10);
        Read(0, 4);
        Read(0, 50);
        Add(5);
        Read(10, 50);
        Add(5);

        Assert.Null(_recent.Read(Beginning, 50));
        Assert.Equal([.. Numbers(5, 20)], Read(4, 50));
    }

    [Fact]
    public void Who_has_read_from_the_database_is_waited_for_too()
    {
        _recent.Moved(Beginning, At(3));
        Add(10);
        Read(0, 50);
        Add(5);

        Assert.Equal([.. Numbers(4, 15)], Read(3, 50));
    }

    [Fact]
    public void Who_is_too_far_behind_is_not_waited_for()
    {
        Read(0, 50);
        Add(90);
        Read(0, 1);
        Add(60);
        Assert.Null(_recent.Read(At(1), 50)); // It has to ask the database, and comes from there.
        _recent.Moved(At(1), At(2));
        Read(90, 100);
        Add(30);

        Assert.Null(_recent.Read(At(120), 50));
        Assert.Equal([.. Numbers(151, 180)], Read(150, 100));
    }

    void Add(int count)
    {
        var after = At(_known);
        ReadEvent[] events = [.. Numbers(_known + 1, _known += count).Select(n => new ReadEvent(
            new LogEvent(At(n), "stk-A", n, "Counted", null, $"c{n}", "tester", DateTimeOffset.UnixEpoch), 10))];
        _recent.Add(after, new LogRead<ReadEvent>(events, At(_known), At(_known)));
    }

    int[] Read(int after, int max) => [.. _recent.Read(At(after), max)?.Events.Select(e => (int)e.Position.Ordinal) ?? []];

    static IEnumerable<int> Numbers(int first, int last) => Enumerable.Range(first, last - first + 1);

    static LogPosition At(int number) => new(1, number);
}
