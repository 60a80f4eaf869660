using System.Globalization;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;
using OrleansOms.Grains.Stock;
using OrleansOms.Host.Catalogue;
using OrleansOms.Host.Errors;
using OrleansOms.Host.Http;
using OrleansOms.Host.OpenApi;
using OrleansOms.Host.Orders;
using OrleansOms.Host.Security;
using OrleansOms.Postgres.Stock;

namespace OrleansOms.Host.Stock;

/// <summary>Receiving and correcting stock, and reading it.</summary>
public static class StockEndpoints
{
    /// <summary>Units of one line of a movement.</summary>
    public const int MaxUnits = 100_000_000;

    /// <summary>Days of a history, if nothing else is asked for, and at most.</summary>
    const int UsualDays = 90, MaxDays = 3_660;

    /// <summary>Maps <c>/api/v1/stock</c>.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        var stock = routes.MapGroup("/api/v1/stock").WithTags("Stock");
        stock.MapPost("/receipts", Receive).Needs(Scopes.StockWrite).Describe(StockDescriptions.Receive);
        stock.MapPost("/adjustments", Adjust).Needs(Scopes.StockWrite).Describe(StockDescriptions.Adjust);
        stock.MapPost("/condition-changes", Change).Needs(Scopes.StockWrite).Describe(StockDescriptions.Change);
        stock.MapGet("/{warehouse}/{sku}", Get).Needs(Scopes.StockRead).Describe(StockDescriptions.Get);
        stock.MapGet("/{warehouse}/{sku}/ledger", Entries).Needs(Scopes.StockRead).Describe(StockDescriptions.Ledger);
        stock.MapGet("/{warehouse}/{sku}/days", Days).Needs(Scopes.StockRead).Describe(StockDescriptions.Days);
    }

    static async Task<IResult> Receive(HttpContext http, MovementDesk movements, KnownThings known)
    {
        var key = http.IdempotencyKey(isRequired: true)!;
        var (r, hash) = await Body.Read(http, ApiJson.Default.ReceiptRequest);
        var f = new Findings();
        f.Text("reference", r.Reference, OrderValidation.MaxReference);
        var lines = Lines(f, r.Lines, "quantity", 1, l => (l?.Sku, l?.Quantity, l?.Condition, null));
        f.Text("warehouse", r.Warehouse, Text.MaxWarehouseCode);
        f.Throw();
        return await Move(http, key, MoveStock.Of(MovementKind.Receipt, r.Warehouse!, r.Reference!, lines, hash), movements, known);
    }

    static async Task<IResult> Adjust(HttpContext http, MovementDesk movements, KnownThings known)
    {
        var key = http.IdempotencyKey(isRequired: true)!;
        var (r, hash) = await Body.Read(http, ApiJson.Default.AdjustmentRequest);
        var f = new Findings();
        f.Text("reason", r.Reason, OrderValidation.MaxReason);
        var lines = Lines(f, r.Lines, "delta", -MaxUnits, l => (l?.Sku, l?.Delta, l?.Condition, null));
        f.Text("warehouse", r.Warehouse, Text.MaxWarehouseCode);
        f.Throw();
        return await Move(http, key, MoveStock.Of(MovementKind.Adjustment, r.Warehouse!, r.Reason!, lines, hash), movements, known);
    }

    static async Task<IResult> Change(HttpContext http, MovementDesk movements, KnownThings known)
    {
        var key = http.IdempotencyKey(isRequired: true)!;
        var (r, hash) = await Body.Read(http, ApiJson.Default.ConditionChangeRequest);
        var f = new Findings();
        f.Text("reason", r.Reason, OrderValidation.MaxReason);
        var lines = Lines(f, r.Lines, "quantity", 1, l => (l?.Sku, l?.Quantity, l?.From, l?.To));
        for (var at = 0; at < lines.Length; at++)
        {
            if (lines[at].Condition is null) f.Add($"lines[{at}].from", "It must be sellable, damaged or quarantine.");
            if (lines[at].To is null) f.Add($"lines[{at}].to", "It must be sellable, damaged or quarantine.");
            else if (lines[at].To == lines[at].Condition) f.Add($"lines[{at}].to", "It must be another condition than from.");
        }
        f.Text("warehouse", r.Warehouse, Text.MaxWarehouseCode);
        f.Throw();
        return await Move(http, key, MoveStock.Of(MovementKind.ConditionChange, r.Warehouse!, r.Reason!, lines, hash), movements, known);
    }

    static MovementLine[] Lines<T>(
        Findings f, IReadOnlyList<T>? lines, string member, int least,
        Func<T, (string? Sku, int? Units, StockCondition? Condition, StockCondition? To)> read)
    {
        if (lines is { Count: > 0 and <= OrderLimits.MaxLines }) return [.. lines.Select(Line)];
        if (lines is { Count: > 0 }) OrderValidation.TooManyLines(f);
        else f.Add("lines", "There must be at least one line.");
        return [];

        MovementLine Line(T line, int at)
        {
            var (sku, units, condition, to) = read(line);
            f.Sku($"lines[{at}].sku", sku);
            f.Between($"lines[{at}].{member}", units, least, MaxUnits);
            if (units == 0) f.Add($"lines[{at}].{member}", "It must not be 0.");
            return new MovementLine(sku ?? "", units ?? 0, condition, to);
        }
    }

    static async Task<IResult> Move(
        HttpContext http, string key, MoveStock command, MovementDesk movements, KnownThings known)
    {
        var caller = http.Caller();
        if (!caller.MaySee(command.Warehouse) || await known.FindWarehouse(command.Warehouse) is null)
            throw OrderValidation.Unknown("warehouse", command.Warehouse, $"There is no warehouse {command.Warehouse}.");
        await known.RequireProducts(command.Lines.Select(l => l.Sku));
        var id = Keys.FromIdempotencyKey(Keys.Movement, caller.Id, key);
        var reply = await movements.Run(id, command, new Caller(id, caller.Actor));
        return reply.Rejection is { } no
            ? Problem.Of(no) : Answers.Created(reply.Value!, ApiJson.Default.MovementView, null);
    }

    static async Task<IResult> Get(HttpContext http, IGrainFactory grains, KnownThings known, StockHistory history, TimeProvider time)
    {
        var key = await Find(http, known);
        if (Past(http, time) is not { } moment)
            return Answers.Ok(await grains.GetGrain<IStockGrain>(key).Get(), ApiJson.Default.StockView);
        var (warehouse, sku) = Keys.ReadStock(key);
        return Answers.Ok(StockView.Of(warehouse, sku, await history.AsOf(key, moment)), ApiJson.Default.StockView);
    }

    static async Task<IResult> Entries(HttpContext http, Ledger ledger, KnownThings known, StockHistory history, TimeProvider time)
    {
        var key = await Find(http, known);
        var f = new Findings();
        var limit = http.Limit(f);
        var cursor = http.Query("cursor", f);
        f.Throw();
        var moment = Past(http, time);
        var (entries, hasMore) = await ledger.Before(
            key, cursor is null && moment is { } then ? (await history.AsOf(key, then)).Version + 1 : Before(cursor), limit);
        var (warehouse, sku) = Keys.ReadStock(key);
        var next = hasMore ? entries[^1].Version.ToString(CultureInfo.InvariantCulture) : null;
        return Answers.Ok(new StockLedger(warehouse, sku, entries, next), ApiJson.Default.StockLedger);
    }

    static async Task<IResult> Days(HttpContext http, KnownThings known, StockHistory history, TimeProvider time)
    {
        var key = await Find(http, known);
        var f = new Findings();
        var today = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        var to = http.Date("to", f) ?? today;
        var from = http.Date("from", f) ?? to.AddDays(-UsualDays);
        if (to.DayNumber - from.DayNumber is < 0 or > MaxDays) f.Add("from", $"It must lie before to, by {MaxDays} days at most.");
        f.Throw();
        var (warehouse, sku) = Keys.ReadStock(key);
        var days = await history.Days(key, from, to);
        return Answers.Ok(new StockDays(
            warehouse, sku, [.. days.Select(d => new StockDayEnd(
                d.Day, d.End.OnHand, d.End.Reserved, d.End.Version, d.End.Damaged, d.End.Quarantine))]), ApiJson.Default.StockDays);
    }

    /// <summary>The moment that is asked about; null for now.</summary>
    /// <exception cref="ProblemException">400: it is no moment, or has not come yet.</exception>
    static DateTimeOffset? Past(HttpContext http, TimeProvider time)
    {
        var f = new Findings();
        var moment = http.Moment("at", f);
        if (moment > time.GetUtcNow()) f.Add("at", "It has not come yet.");
        f.Throw();
        return moment;
    }

    static int Before(string? cursor)
    {
        if (cursor is null) return int.MaxValue;
        return int.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out var version) && version > 0
            ? version : throw Findings.Of("cursor", "It does not belong to this list.", "bad_cursor");
    }

    /// <summary>The stock's key, if its warehouse and SKU are known and the caller may see them.</summary>
    /// <exception cref="ProblemException">404.</exception>
    static async Task<string> Find(HttpContext http, KnownThings known)
    {
        var (warehouse, sku) = (http.Segment(3), http.Segment(4));
        if (!Text.IsWarehouseCode(warehouse) || !http.Caller().MaySee(warehouse)
            || await known.FindWarehouse(warehouse) is null)
            throw new ProblemException(Problem.NotFound("The warehouse"));
        if (!Text.IsSku(sku) || !await known.IsProduct(sku)) throw new ProblemException(Problem.NotFound("The product"));
        return Keys.OfStock(warehouse, sku);
    }
}
