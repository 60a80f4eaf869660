using Microsoft.Extensions.Time.Testing;
using OrleansOms.Host.Live;

namespace OrleansOms.Tests.Live;

public sealed class MailboxTests
{
    readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Only_the_latest_letter_of_a_sender_is_delivered()
    {
        var box = new Mailbox<int>(10, _time);
        box.Put("a", 1);
        box.Put("b", 2);
        box.Put("a", 3);
        var delivery = await box.Take(TimeSpan.Zero, default);
        Assert.Equal([2, 3], delivery!.Value.Letters.Order());
        Assert.False(delivery.Value.IsOver);
    }

    [Fact]
    public async Task Too_many_senders_empty_the_mailbox_and_the_reader_is_told_once()
    {
        var box = new Mailbox<int>(2, _time);
        for (var i = 0; i < 100; i++) box.Put($"{i}", i);
        var delivery = await box.Take(TimeSpan.Zero, default);
        Assert.Empty(delivery!.Value.Letters);
        Assert.True(delivery.Value.IsOver);
        box.Put("a", 1);
        delivery = await box.Take(TimeSpan.Zero, default);
        Assert.Equal([1], delivery!.Value.Letters);
        Assert.False(delivery.Value.IsOver);
    }

    [Fact]
    public async Task The_first_delivery_comes_at_once_and_the_next_at_its_pace()
    {
        var pace = TimeSpan.FromMilliseconds(100);
        var box = new Mailbox<int>(10, _time);
        box.Put("a", 1);
        await box.Take(pace, default);
        box.Put("a", 2);
        var next = box.Take(pace, default).AsTask();
        Assert.False(next.IsCompleted);
        box.Put("a", 3);
        _time.Advance(pace);
        Assert.Equal([3], (await next)!.Value.Letters);
    }

    [Fact]
    public async Task A_closed_mailbox_ends_the_wait()
    {
        var box = new Mailbox<int>(10, _time);
        var waiting = box.Take(TimeSpan.Zero, default).AsTask();
        box.Close();
        Assert.Null(await waiting);
    }
}
