using System.Collections.Immutable;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Domain.Tests.Stock;

public sealed class ReservationsTests
{
    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public void Every_version_stays_as_it_is_whatever_is_made_of_it_later(int seed)
    {
        var random = new Random(seed);
        List<(Reservations Is, ImmutableDictionary<OrderLineKey, Reservation> Should)> versions =
            [(Reservations.None(), ImmutableDictionary<OrderLineKey, Reservation>.Empty)];
        for (var step = 0; step < 600; step++)
        {
            // Mostly the newest goes on; now and then an older one gets another future.
            var (now, should) = random.Next(10) == 0 ? versions[random.Next(versions.Count)] : versions[^1];
            var key = new OrderLineKey($"ord-{random.Next(12)}", random.Next(1, 3));
            var value = random.Next(3) == 0 ? null : new Reservation(random.Next(1, 9), [$"c-{step}"]);
            versions.Add((
                now.With(key.OrderId, key.LineId, value),
                value is null ? should.Remove(key) : should.SetItem(key, value)));
        }

        foreach (var (now, should) in versions)
        {
            Assert.Equal(should.Count, now.Count);
            Assert.Equal(should, now.ToImmutableDictionary());
            for (var order = 0; order < 12; order++)
                for (var line = 1; line < 3; line++)
                    Assert.Equal(
                        should.GetValueOrDefault(new OrderLineKey($"ord-{order}", line)), now.Of($"ord-{order}", line));
        }
    }

    [Fact]
    public void What_was_stored_is_as_it_was_written() =>
        Assert.Equal(
            new Reservation(2, []),
            Reservations.Of([KeyValuePair.Create(new OrderLineKey("ord-a", 7), new Reservation(2, []))]).Of("ord-a", 7));
}
