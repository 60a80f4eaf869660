using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;
using OrleansOms.Postgres.Stock;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.ApiTests;

/// <summary>What was on hand at any moment of the past, and why.</summary>
[Collection(ApiCollection.Name)]
public sealed class StockHistoryTests(OmsApp app)
{
    static readonly DateTimeOffset Began = new(2026, 3, 1, 22, 0, 0, TimeSpan.Zero);

    StockHistory History => app.Services.GetRequiredService<StockHistory>();

    /// <param name="kept">Days that are kept: all, none, or one that a mistake has let begin in the middle.</param>
    [Theory]
    [InlineData("all"), InlineData("none"), InlineData("half a day")]
    public async Task Each_moment_and_each_entry_has_what_the_entries_until_then_add_up_to(string kept)
    {
        var (stock, entries) = await Lived();
        var sku = Keys.ReadStock(stock).Sku;
        if (kept != "all") await app.Database.Execute($"delete from oms.stock_days where sku = '{sku}'");
        if (kept == "half a day")
        {
            var noon = Sum(entries.Take(12));
            await app.Database.Execute(
                $"insert into oms.stock_days values ('LON', '{sku}', '2026-03-02', {noon.Version}, {noon.OnHand}, {noon.Reserved}, {noon.Damaged}, {noon.Quarantine})");
        }
        for (var version = 0; version <= entries.Count; version++)
            Assert.Equal(Sum(entries.Take(version)), await History.After(stock, version));
        var moments = entries.SelectMany(e => new[] { e.At.AddSeconds(-1), e.At, e.At.AddSeconds(1) }).Append(Began.AddDays(-9)).Append(DateTimeOffset.UtcNow);
        foreach (var moment in moments)
        {
            var last = entries.FindLastIndex(e => e.At <= moment) + 1;
            Assert.Equal(Sum(entries.Take(last)), await History.AsOf(stock, moment));
            var told = await app.Api.Must(200, HttpMethod.Get, $"{Path(stock)}?at={Uri.EscapeDataString(moment.ToString("O", CultureInfo.InvariantCulture))}", null);
            Assert.Equal(Sum(entries.Take(last)), Balance(told));
        }
    }

    [Fact]
    public async Task The_ledger_tells_what_was_there_after_each_entry_page_by_page_and_from_a_moment_back()
    {
        var (stock, entries) = await Lived();
        await Reads(Path(stock) + "/ledger?limit=7", entries.Count);
        var then = entries[20].At.AddMilliseconds(1);
        await Reads($"{Path(stock)}/ledger?limit=7&at={Uri.EscapeDataString(then.ToString("O", CultureInfo.InvariantCulture))}", 21);
        Assert.Empty((await app.Api.Must(200, HttpMethod.Get, $"{Path(stock)}/ledger?at=2020-01-01", null))["entries"]!.AsArray());

        async Task Reads(string path, int newest)
        {
            var version = newest;
            for (var page = path; page is not null;)
            {
                var answer = await app.Api.Must(200, HttpMethod.Get, page, null);
                foreach (var e in answer["entries"]!.AsArray())
                {
                    var balance = Sum(entries.Take(version));
                    Assert.Equal(balance, Balance(e!));
                    version--;
                }
                page = answer["nextCursor"] is { } next ? $"{path}&cursor={next}" : null;
            }
            Assert.Equal(0, version);
        }
    }

    [Fact]
    public async Task Days_end_with_what_their_last_entry_left_and_come_back_when_the_lists_are_made_anew()
    {
        var (stock, entries) = await Lived();
        var (warehouse, sku) = Keys.ReadStock(stock);
        var days = await Days();
        // An entry whose clock was a moment behind belongs to the day that had begun.
        Assert.Equal(["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-07"], days.Select(d => d.Day));
        Assert.Equal(
            [Sum(entries.Take(8)), Sum(entries.Take(18)), Sum(entries.Take(24)), Sum(entries)],
            days.Select(d => d.End));
        Assert.Equal(["2026-03-02", "2026-03-03"], (await Days("?from=2026-03-02&to=2026-03-06")).Select(d => d.Day));

        var kept = await app.Database.Ask<string>($"select string_agg(d::text, ' ' order by day) from oms.stock_days d where sku = '{sku}'");
        await ((OrleansOms.Postgres.ReadModel)app.Services.GetRequiredService<IReadModel>()).Rebuild();
        await app.AddProduct($"wake-{Guid.NewGuid():N}"[..16]);
        await app.CountEvents();
        Assert.Equal(kept, await app.Database.Ask<string>($"select string_agg(d::text, ' ' order by day) from oms.stock_days d where sku = '{sku}'"));

        async Task<List<(string Day, StockBalance End)>> Days(string query = "?from=2026-02-01&to=2026-04-01") =>
            [.. (await app.Api.Must(200, HttpMethod.Get, $"{Path(stock)}/days{query}", null))["days"]!.AsArray()
                .Select(d => ((string)d!["day"]!, Balance(d)))];
    }

    [Fact]
    public async Task A_day_begins_only_where_it_is_known_that_the_entry_before_was_of_an_earlier_one()
    {
        var (stock, _) = await Lived();
        var sku = Keys.ReadStock(stock).Sku;
        // As a build leaves it that does not know of days.
        await app.Database.Execute($"delete from oms.stock_days where sku = '{sku}'; update oms.stock set day = null, day_version = null where sku = '{sku}'");
        await Go(new DateTimeOffset(2026, 3, 9, 12, 0, 0, TimeSpan.Zero));
        Assert.Empty(await Kept());
        await Go(new DateTimeOffset(2026, 3, 10, 12, 0, 0, TimeSpan.Zero));
        Assert.Equal(["2026-03-10 33"], await Kept());
        // And again it has written what came last, and nobody knows on which day that was.
        await app.Database.Execute($"update oms.stock set day_version = day_version - 1 where sku = '{sku}'");
        await Go(new DateTimeOffset(2026, 3, 11, 12, 0, 0, TimeSpan.Zero));
        Assert.Equal(["2026-03-10 33"], await Kept());
        await Go(new DateTimeOffset(2026, 3, 12, 12, 0, 0, TimeSpan.Zero));
        Assert.Equal(["2026-03-10 33", "2026-03-12 35"], await Kept());

        async Task Go(DateTimeOffset at)
        {
            var log = app.Services.GetRequiredService<IEventLog>();
            var version = (await log.ReadStream(stock)).Count;
            await log.Append(new Append(new StreamEvents(
                stock, version, [new NewEvent(new StockReceived(1, "po"), Guid.NewGuid().ToString("N"), "test", at)])));
            await app.CountEvents();
        }

        Task<string[]> Kept() => app.Database.Ask<string[]>(
            $"select coalesce(array_agg(day || ' ' || version order by day), '{{}}') from oms.stock_days where sku = '{sku}'");
    }

    [Theory]
    [InlineData("?at=2999-01-01", "at"), InlineData("?at=yesterday", "at"), InlineData("/ledger?at=2999-01-01", "at")]
    [InlineData("/days?from=2026-13-01", "from"), InlineData("/days?from=2026-02-01&to=2026-01-01", "from")]
    [InlineData("/days?from=1990-01-01&to=2026-01-01", "from"), InlineData("/days?to=then", "to")]
    public async Task What_cannot_be_answered_is_refused_and_named(string question, string member)
    {
        var sku = await app.NewProduct();
        var answer = await app.Api.Get($"/api/v1/stock/LON/{sku}{question}");
        Assert.Equal(400, answer.Status);
        Assert.NotNull(answer.Json["errors"]![member]);
    }

    static string Path(string stock) => Keys.ReadStock(stock) is var (warehouse, sku) ? $"/api/v1/stock/{warehouse}/{sku}" : "";

    static StockBalance Sum(IEnumerable<NewEvent> entries) => entries.Select(e => StockDelta.Of((StockEvent)e.Data)).Aggregate(
        new StockBalance(), (b, d) => b.With(b.Version + 1, d));

    static StockBalance Balance(JsonNode told) => new(
        (int)told["version"]!, (int)told["onHand"]!, (int)told["reserved"]!, (int)told["damaged"]!, (int)told["quarantine"]!);

    /// <summary>A stock with a past of a week: eight entries, then ten, six, and eight, and one whose clock was behind.</summary>
    async Task<(string Stock, List<NewEvent> Entries)> Lived()
    {
        var stock = Keys.OfStock("LON", await app.NewProduct());
        var entries = new List<NewEvent>();
        Day(0, 8, TimeSpan.FromMinutes(10));
        Day(1, 10, TimeSpan.FromMinutes(7));
        // Two hours later it is the next day; a process whose clock is half a minute behind says that it is not.
        var midnight = Began.AddDays(1).AddHours(2);
        entries.Add(Entry(midnight.AddSeconds(20)));
        entries.Add(Entry(midnight.AddSeconds(-10)));
        Day(2, 4, TimeSpan.FromMinutes(1));
        Day(6, 8, TimeSpan.FromSeconds(1));
        var log = app.Services.GetRequiredService<IEventLog>();
        foreach (var some in entries.Chunk(5))
        {
            var version = (await log.ReadStream(stock)).Count;
            Assert.IsType<AppendResult.Committed>(await log.Append(new Append(new StreamEvents(stock, version, some))));
        }
        await app.CountEvents();
        return (stock, entries);

        void Day(int day, int count, TimeSpan apart)
        {
            for (var n = 0; n < count; n++) entries.Add(Entry(Began.AddDays(day) + n * apart));
        }

        NewEvent Entry(DateTimeOffset at)
        {
            var n = entries.Count;
            StockEvent data = (n % 6) switch
            {
                2 => new StockAdjusted(-2 - n / 3, "counted"),
                4 => new ConditionChanged(null, StockCondition.Damaged, 1 + n, $"po-{n}"),
                5 => new ConditionChanged(StockCondition.Sellable, StockCondition.Quarantine, 1 + n / 5, "to be looked at"),
                _ => new StockReceived(5 + n, $"po-{n}"),
            };
            return new NewEvent(data, $"c-{n}-{Guid.NewGuid():N}", "test", at);
        }
    }
}
