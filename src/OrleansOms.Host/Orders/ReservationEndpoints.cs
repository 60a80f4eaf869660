using System.Globalization;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Grains.Orders;
using OrleansOms.Host.Catalogue;
using OrleansOms.Host.Errors;
using OrleansOms.Host.Http;
using OrleansOms.Host.OpenApi;
using OrleansOms.Host.Security;

namespace OrleansOms.Host.Orders;

/// <summary>Holding stock for carts.</summary>
public static class ReservationEndpoints
{
    /// <summary>Maps <c>/api/v1/reservations</c>.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        var reservations = routes.MapGroup("/api/v1/reservations").WithTags("Reservations");
        reservations.MapPost("", Reserve).Needs(Scopes.OrdersWrite).Describe(ReservationDescriptions.Reserve);
        reservations.MapGet("/{id}", Get).Needs(Scopes.OrdersRead).Describe(ReservationDescriptions.Get);
        reservations.MapPost("/{id}/extend", Extend).Needs(Scopes.OrdersWrite).Describe(ReservationDescriptions.Extend);
        reservations.MapPost("/{id}/release", Release).Needs(Scopes.OrdersWrite).Describe(ReservationDescriptions.Release);
    }

    static async Task<IResult> Reserve(HttpContext http, CartDesk desk, KnownThings known, TimeProvider time)
    {
        var caller = http.Caller();
        // It could be held in a warehouse that the caller may not see, who could not give it back then.
        if (caller.Warehouses is not null) throw new ProblemException(new Problem(403, "forbidden", "A caller that is limited to warehouses holds nothing for carts."));
        var key = http.IdempotencyKey(isRequired: true)!;
        var (r, hash) = await Body.Read(http, ApiJson.Default.ReservationRequest);
        var f = new Findings();
        var lines = Lines(f, r.Lines);
        var until = time.GetUtcNow() + Span(f, r.ExpiresInSeconds);
        f.OptionalText("country", r.Country, OrderValidation.MaxCity);
        f.OptionalText("postalCode", r.PostalCode, OrderValidation.MaxPostalCode);
        f.Throw();
        if (r.Country is not null) OrderValidation.RequireCountry(r.Country);
        await known.RequireProducts(lines.Select(l => l.Sku));
        // Not the id of an order that is placed with the same key.
        var id = Keys.FromIdempotencyKey(Keys.Order, caller.Id, $"reservation\n{key}");
        var reply = await desk.Reserve(
            id, new WantedCart(lines, r.AllOrNothing ?? true, until, r.Country, r.PostalCode, hash), new Caller($"{id}/reserve", caller.Actor));
        return reply.Rejection is { } no
            ? Problem.Of(no) : Answers.Created(reply.Value!, ApiJson.Default.ReservationView, $"/api/v1/reservations/{id}");
    }

    static async Task<IResult> Get(HttpContext http, string id, CartDesk desk) =>
        Answers.Ok(await Find(http, id, desk), ApiJson.Default.ReservationView);

    static async Task<IResult> Extend(HttpContext http, string id, CartDesk desk, IGrainFactory grains, TimeProvider time)
    {
        var (r, _) = await Body.Read(http, ApiJson.Default.ExtensionRequest);
        var f = new Findings();
        var until = time.GetUtcNow() + Span(f, r.ExpiresInSeconds);
        f.Throw();
        return await Change(http, id, new ExtendCart(until), desk, grains);
    }

    static Task<IResult> Release(HttpContext http, string id, CartDesk desk, IGrainFactory grains) =>
        Change(http, id, new ReleaseCart(), desk, grains);

    static async Task<IResult> Change(
        HttpContext http, string id, OrderCommand command, CartDesk desk, IGrainFactory grains)
    {
        await Find(http, id, desk);
        var reply = await grains.GetGrain<IOrderGrain>(id).ChangeReservation(
            command, new Caller($"{id}/{Guid.NewGuid():N}", http.Caller().Actor));
        return Answers.Of(reply, ApiJson.Default.ReservationView);
    }

    /// <summary>The reservation, if there is one that the caller may see.</summary>
    /// <exception cref="ProblemException">404.</exception>
    static async Task<ReservationView> Find(HttpContext http, string id, CartDesk desk) =>
        await desk.Find(id) is { } found && http.Caller().MaySeeAny(found.Warehouses)
            ? found : throw new ProblemException(Problem.NotFound("The reservation"));

    static TimeSpan Span(Findings f, int? seconds)
    {
        if (seconds is null) return OrderCarts.Usual;
        f.Between("expiresInSeconds", seconds, 1, (int)OrderCarts.Longest.TotalSeconds);
        return TimeSpan.FromSeconds(seconds.Value);
    }

    static CartLine[] Lines(Findings f, IReadOnlyList<ReservationLineRequest?>? lines)
    {
        if (lines is { Count: > OrderLimits.MaxLines }) OrderValidation.TooManyLines(f);
        else if (lines is not { Count: > 0 }) f.Add("lines", "There must be at least one line.");
        else
        {
            var read = new CartLine[lines.Count];
            for (var i = 0; i < read.Length; i++)
            {
                f.Sku($"lines[{i}].sku", lines[i]?.Sku);
                f.Between($"lines[{i}].quantity", lines[i]?.Quantity, 1, OrderLimits.MaxQuantity);
                read[i] = new CartLine(i + 1, lines[i]?.Sku ?? "", lines[i]?.Quantity ?? 0);
            }
            if (f.IsEmpty && read.Sum(l => (long)l.Quantity) > OrderLimits.MaxUnits)
                f.Add("lines", string.Create(
                    CultureInfo.InvariantCulture, $"There may be at most {OrderLimits.MaxUnits:N0} units."), "too_many_units");
            return read;
        }
        return [];
    }
}
