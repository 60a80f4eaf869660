using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using OrleansOms.Connectors.Channels.OnlineRetail;

namespace OrleansOms.Host.Commands;

/// <summary>How a request ended for good.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Code">The stable code of a refusal; null if it was accepted.</param>
/// <param name="Detail">The sentence of a refusal.</param>
public sealed record ImportAnswer(int Status, string? Code, string? Detail)
{
    /// <summary>Whether it was done, now or before.</summary>
    public bool IsDone => Code is null || IsDuplicate;

    /// <summary>This order was placed before, with another address or by another caller: it is there, once.</summary>
    public bool IsDuplicate => Code == "duplicate_order";
}

/// <summary>The server does not answer, or will not talk to this caller: there is no use in going on.</summary>
public sealed class ImportStoppedException(string message) : Exception(message);

/// <summary>
/// Sends requests until they have an answer. A lost connection, a time-out, 429, 503 and a request that is still
/// running leave the outcome open: the same request with the same key is sent again, later and later, with jitter,
/// and not before the server's <c>Retry-After</c>.
/// </summary>
public sealed class ImportClient : IDisposable
{
    static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);
    static readonly TimeSpan LongestRetryAfter = TimeSpan.FromSeconds(60);
    /// <summary>A wrong address should be told soon: a server that has never answered gets no more than this.</summary>
    static readonly TimeSpan FirstAnswerWithin = TimeSpan.FromSeconds(15);
    const int MaxProblemBytes = 64 * 1024;

    readonly HttpClient _http;
    readonly ImportOptions _options;
    int _retries;
    volatile bool _hasAnswered;

    /// <summary>Connects lazily, with one connection for each parallel request.</summary>
    public ImportClient(ImportOptions options)
    {
        _options = options;
        _http = new HttpClient(new SocketsHttpHandler
        {
            MaxConnectionsPerServer = options.Parallel,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            UseCookies = false,
            UseProxy = false,
            AllowAutoRedirect = false,
        })
        {
            BaseAddress = options.Url,
            Timeout = options.AnswerWithin,
            DefaultRequestVersion = HttpVersion.Version11,
        };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", options.Key);
    }

    /// <summary>How often a request was sent again.</summary>
    public int Retries => Volatile.Read(ref _retries);

    TimeSpan Patience => _hasAnswered || _options.GiveUpAfter < FirstAnswerWithin
        ? _options.GiveUpAfter : FirstAnswerWithin;

    /// <summary>Sends until there is an answer.</summary>
    /// <exception cref="ImportStoppedException">None came in time, or the key is not accepted.</exception>
    public async Task<ImportAnswer> Send(HttpMethod method, RetailRequest request, CancellationToken cancellation)
    {
        var started = TimeProvider.System.GetTimestamp();
        for (var attempt = 0; ; attempt++)
        {
            TimeSpan? retryAfter = null;
            string why;
            try
            {
                using var message = Message(method, request);
                using var response = await _http.SendAsync(
                    message, HttpCompletionOption.ResponseHeadersRead, cancellation);
                var answer = await Read(response, cancellation);
                _hasAnswered = true;
                if (response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
                    throw new ImportStoppedException(
                        $"The server does not accept the API key ({answer.Status} {answer.Code}).");
                if (!IsOpen(response.StatusCode, answer)) return answer;
                retryAfter = RetryAfter(response);
                why = $"{answer.Status} {answer.Code}";
            }
            catch (HttpRequestException e) { why = e.Message; }
            catch (IOException e) { why = e.Message; }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested) 
            {
                why = "no answer in time";
            }

            var pause = Pause(attempt, retryAfter, Random.Shared.NextDouble());
            if (TimeProvider.System.GetElapsedTime(started) + pause > Patience)
                throw new ImportStoppedException($"{_options.Url} does not answer ({request.Name}: {why}).");
            Interlocked.Increment(ref _retries);
            await Task.Delay(pause, cancellation);
        }
    }

    /// <summary>
    /// How long to wait before the next attempt: doubled each time up to five seconds, half of it left to chance, and
    /// never less than the server asked for.
    /// </summary>
    /// <param name="attempt">0 after the first failure.</param>
    /// <param name="chance">From 0 up to 1.</param>
    public static TimeSpan Pause(int attempt, TimeSpan? retryAfter, double chance)
    {
        var doubled = FirstPause * Math.Pow(2, Math.Min(attempt, 16));
        var pause = (doubled < LongestPause ? doubled : LongestPause) * (0.5 + chance / 2);
        // Those who were told the same time must not come back at the same moment.
        return pause + TimeSpan.FromTicks(Math.Clamp(retryAfter?.Ticks ?? 0, 0, LongestRetryAfter.Ticks));
    }

    static HttpRequestMessage Message(HttpMethod method, RetailRequest request)
    {
        var message = new HttpRequestMessage(method, request.Path);
        var content = new ByteArrayContent(request.Body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json", "utf-8");
        message.Content = content;
        if (request.Key is not null) message.Headers.Add("Idempotency-Key", request.Key);
        return message;
    }

    static bool IsOpen(HttpStatusCode status, ImportAnswer answer) =>
        status is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable or HttpStatusCode.BadGateway
            or HttpStatusCode.GatewayTimeout or HttpStatusCode.RequestTimeout
        || answer.Code == "request_in_progress";

    static TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date - TimeProvider.System.GetUtcNow(),
        _ => null,
    };

    /// <summary>Reads the answer to its end, so that the connection can be used again.</summary>
    static async Task<ImportAnswer> Read(HttpResponseMessage response, CancellationToken cancellation)
    {
        await using var body = await response.Content.ReadAsStreamAsync(cancellation);
        if (response.IsSuccessStatusCode)
        {
            await body.CopyToAsync(Stream.Null, cancellation);
            return new ImportAnswer((int)response.StatusCode, null, null);
        }
        var problem = new byte[MaxProblemBytes];
        var length = await body.ReadAtLeastAsync(problem, problem.Length, throwOnEndOfStream: false, cancellation);
        var (code, detail) = Problem(problem.AsMemory(0, length));
        return new ImportAnswer((int)response.StatusCode, code ?? $"http_{(int)response.StatusCode}", detail);
    }

    static (string? Code, string? Detail) Problem(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? (Member(document, "code"), Member(document, "detail") ?? Member(document, "title"))
                : (null, null);
        }
        catch (JsonException)
        {
            return (null, null); // a proxy's page, not ours: the status says enough
        }
    }

    static string? Member(JsonDocument document, string name) =>
        document.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString() : null;

    /// <inheritdoc />
    public void Dispose() => _http.Dispose();
}
