using System.Globalization;
using OrleansOms.Host.Errors;

namespace OrleansOms.Host.Http;

/// <summary>Reads keys, headers and query members of requests.</summary>
public static class RequestParts
{
    /// <summary>Longest idempotency key, in characters.</summary>
    public const int MaxIdempotencyKey = 255;

    /// <summary>Most items on a page of a list.</summary>
    public const int MaxLimit = 200;

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

    /// <summary>A moment in ISO 8601; a date alone is midnight UTC.</summary>
    public static DateTimeOffset? Moment(this HttpContext http, string name, Findings findings)
    {
        var text = http.Query(name, findings);
        if (text is null) return null;
        if (DateTimeOffset.TryParseExact(text, Formats, CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at)) return at;
        findings.Add(name, "It must be a date or a moment in ISO 8601, such as 2010-12-01T08:26:00Z.");
        return null;
    }

    /// <summary>One of the known words, or null if it is absent.</summary>
    public static T? Word<T>(this HttpContext http, string name, IReadOnlyDictionary<string, T> words, Findings findings)
        where T : struct
    {
        var text = http.Query(name, findings);
        return text is null ? null : findings.Word(name, text, words);
    }

    static readonly string[] Formats =
        ["yyyy-MM-dd", "yyyy-MM-ddTHH:mmK", "yyyy-MM-ddTHH:mm:ssK", "yyyy-MM-ddTHH:mm:ss.FFFFFFFK"];
}
