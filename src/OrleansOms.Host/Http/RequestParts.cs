using System.Globalization;
using OrleansOms.Contracts;
using OrleansOms.Host.Errors;
using OrleansOms.Host.OpenApi;
using OrleansOms.Host.Security;

namespace OrleansOms.Host.Http;

/// <summary>Reads keys, headers and query members of requests.</summary>
public static class RequestParts
{
    /// <summary>Longest idempotency key, in characters.</summary>
    public const int MaxIdempotencyKey = 255;

    /// <summary>Most items on a page of a list.</summary>
    public const int MaxLimit = Contracts.Page<object>.MaxLimit;

    /// <summary>
    /// The n-th segment of the path as the caller meant it. The server decodes a path in part (<c>%25</c> but not
    /// <c>%2F</c>), after which <c>x%2Fy</c> and <c>x/y</c> look alike; so the raw one is read.
    /// </summary>
    /// <param name="index">From 0, after the leading slash.</param>
    public static string Segment(this HttpContext http, int index)
    {
        var target = http.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>()!.RawTarget.AsSpan();
        if (target.IndexOf("://") is > 0 and var scheme)
        {
            target = target[(scheme + 3)..];
            target = target[Math.Max(0, target.IndexOf('/'))..];
        }
        if (target.IndexOfAny('?', '#') is >= 0 and var end) target = target[..end];
        var at = 0;
        foreach (var range in target[1..].Split('/'))
            if (at++ == index) return Uri.UnescapeDataString(target[1..][range]);
        throw new ProblemException(Problem.OfStatus(404));
    }

    /// <summary>The idempotency key, if there is one.</summary>
    /// <param name="isRequired">Whether its absence is refused.</param>
    /// <exception cref="ProblemException">400: missing, repeated, too long or not printable ASCII.</exception>
    public static string? IdempotencyKey(this HttpContext http, bool isRequired)
    {
        const string header = "Idempotency-Key";
        var values = http.Request.Headers[header];
        if (values.Count == 0)
            return isRequired
                ? throw Findings.Of(header, "It is required: one key for each thing that is to happen once.",
                    "idempotency_key_required")
                : null;
        var key = values.Count == 1 ? values[0] : null;
        return key is { Length: > 0 and <= MaxIdempotencyKey } && key.AsSpan().IndexOfAnyExceptInRange(' ', '~') < 0
            ? key
            : throw Findings.Of(header, "It must be 1 to 255 printable ASCII characters, once.", "invalid_idempotency_key");
    }

    /// <summary>A query member that may be given once; blank counts as absent.</summary>
    public static string? Query(this HttpContext http, string name, Findings findings, int max = 200)
    {
        var values = http.Request.Query[name];
        if (values.Count == 0 || (values.Count == 1 && string.IsNullOrWhiteSpace(values[0]))) return null;
        if (values.Count > 1) findings.Add(name, "It may be given once.");
        findings.OptionalText(name, values[0], max);
        return values[0];
    }

    /// <summary>
    /// Refuses members of the query that the endpoint does not tell of: a misspelt filter would let everything through.
    /// </summary>
    /// <exception cref="ProblemException">400, with each of them.</exception>
    public static void RefuseUnknownQuery(this HttpContext http, Endpoint endpoint)
    {
        if (!http.Request.QueryString.HasValue || endpoint.Metadata.GetMetadata<EndpointDescription>() is not { } described) return;
        string[] known = [.. described.Parameters.Where(p => p.In == "query").Select(p => p.Name)];
        var findings = new Findings();
        foreach (var name in http.Request.Query.Keys.Except(known, StringComparer.OrdinalIgnoreCase))
            findings.Add(name, known.Length == 0
                ? "This address takes no query." : $"It is unknown here. Known are: {string.Join(", ", known)}.");
        findings.Throw();
    }

    /// <summary>Items wanted on a page, 1 to <see cref="MaxLimit"/>.</summary>
    public static int Limit(this HttpContext http, Findings findings, int usual = 50)
    {
        var text = http.Query("limit", findings);
        if (text is null) return usual;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit is >= 1 and <= MaxLimit)
            return limit;
        findings.Add("limit", $"It must be between 1 and {MaxLimit}.");
        return usual;
    }

    /// <summary>A moment of a query in ISO 8601; without an offset it is UTC, a date alone is midnight.</summary>
    public static DateTimeOffset? Moment(this HttpContext http, string name, Findings findings)
    {
        var text = http.Query(name, findings);
        if (text is null) return null;
        if (TryParse(text, DateTimeStyles.AssumeUniversal, out var at)) return at;
        findings.Add(name, "It must be a date or a moment in ISO 8601, such as 2010-12-01T08:26:00Z.");
        return null;
    }

    /// <summary>A day of a query.</summary>
    public static DateOnly? Date(this HttpContext http, string name, Findings findings)
    {
        var text = http.Query(name, findings);
        if (text is null) return null;
        if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) && day.Year >= 1970)
            return day;
        findings.Add(name, "It must be a day, such as 2010-12-01.");
        return null;
    }

    /// <summary>A moment of a body in ISO 8601 that names its offset.</summary>
    public static DateTimeOffset Moment(Findings findings, string member, string? text)
    {
        var hasOffset = text is not null && (text.EndsWith('Z') || text.LastIndexOfAny(['+', '-']) > "2010-12-01".Length);
        if (hasOffset && TryParse(text!, DateTimeStyles.None, out var at)) return at;
        findings.Add(member, text is null
            ? "It is required." : "It must be a moment in ISO 8601 with an offset, such as 2010-12-01T08:26:00Z.");
        return default;
    }

    // PostgreSQL and people agree on years of four digits only.
    static bool TryParse(string text, DateTimeStyles style, out DateTimeOffset at) =>
        DateTimeOffset.TryParseExact(
            text, Formats, CultureInfo.InvariantCulture, style | DateTimeStyles.AdjustToUniversal, out at) && at.Year >= 1970;

    /// <summary>One of the known words, or null if it is absent.</summary>
    public static T? Word<T>(this HttpContext http, string name, IReadOnlyDictionary<string, T> words, Findings findings)
        where T : struct
    {
        var text = http.Query(name, findings);
        return text is null ? null : findings.Word(name, text, words);
    }

    /// <summary>Any of the known words: the member may be repeated, and hold several with commas between.</summary>
    public static IReadOnlyList<T> Words<T>(
        this HttpContext http, string name, IReadOnlyDictionary<string, T> words, Findings findings) where T : struct
    {
        var wanted = new List<T>();
        foreach (var text in http.Request.Query[name].SelectMany(v => v?.Split(',') ?? []).Take(words.Count + 1))
            if (text.Length > 0) wanted.Add(findings.Word(name, text, words));
        return wanted;
    }

    /// <summary>
    /// The warehouse that a list is about. A caller who may see only some must name one of them; one who may see a single
    /// one need not.
    /// </summary>
    /// <exception cref="ProblemException">404 for one that the caller may not see.</exception>
    public static string? VisibleWarehouse(this HttpContext http, Findings findings)
    {
        var code = http.Query("warehouse", findings);
        if (http.Caller().Warehouses is not { } visible) return code;
        if (code is null && visible.Count == 1) return visible.First();
        if (code is null) findings.Add("warehouse", "Name one of the warehouses that you may see.");
        else if (!visible.Contains(code)) throw new ProblemException(Problem.NotFound("The warehouse"));
        return code;
    }

    /// <summary>A page of a list; a cursor that is not its own is the caller's mistake.</summary>
    /// <exception cref="ProblemException">400 <c>bad_cursor</c>.</exception>
    public static async Task<Page<T>> Page<T>(Func<Task<Page<T>>> query)
    {
        try { return await query(); }
        catch (BadCursorException) { throw Findings.Of("cursor", "It does not belong to this list.", "bad_cursor"); }
    }

    static readonly string[] Formats =
        ["yyyy-MM-dd", "yyyy-MM-ddTHH:mmK", "yyyy-MM-ddTHH:mm:ssK", "yyyy-MM-ddTHH:mm:ss.FFFFFFFK"];
}
