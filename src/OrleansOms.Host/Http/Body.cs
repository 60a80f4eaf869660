using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text.Unicode;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using OrleansOms.Host.Errors;

namespace OrleansOms.Host.Http;

/// <summary>A request's body: what it says, and the hash of its bytes.</summary>
/// <typeparam name="T">The request.</typeparam>
/// <param name="Hash">SHA-256 in hexadecimal: tells a retry from a reused key.</param>
public readonly record struct Body<T>(T Request, string Hash) where T : class;

/// <summary>Reads JSON bodies and says in our own words what is wrong with them.</summary>
public static class Body
{
    /// <summary>Reads the whole body.</summary>
    /// <exception cref="ProblemException">415, 413 or 400.</exception>
    public static async ValueTask<Body<T>> Read<T>(HttpContext http, JsonTypeInfo<T> type) where T : class
    {
        if (!IsJson(http.Request)) throw new ProblemException(Problem.OfStatus(415));
        var most = http.RequestServices.GetRequiredService<HostSettings>().MaxBodyBytes;
        if (http.Request.ContentLength > most) throw TooLarge;
        var reader = http.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(http.RequestAborted);
            if (read.Buffer.Length > most)
            {
                reader.AdvanceTo(read.Buffer.End);
                throw TooLarge;
            }
            if (!read.IsCompleted)
            {
                reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                continue;
            }
            try { return Parse(read.Buffer, type); }
            finally { reader.AdvanceTo(read.Buffer.End); }
        }
    }

    static ProblemException TooLarge => new(Problem.OfStatus(413));

    static bool IsJson(HttpRequest request)
    {
        if (request.Headers.ContentEncoding.Count > 0) return false;
        var type = request.ContentType.AsSpan();
        var end = type.IndexOf(';');
        var parameters = end < 0 ? [] : type[(end + 1)..].Trim();
        return (end < 0 ? type : type[..end]).Trim().Equals("application/json", StringComparison.OrdinalIgnoreCase)
            && (parameters.IsEmpty || parameters.Equals("charset=utf-8", StringComparison.OrdinalIgnoreCase)
                || parameters.Equals("charset=\"utf-8\"", StringComparison.OrdinalIgnoreCase));
    }

    static Body<T> Parse<T>(ReadOnlySequence<byte> bytes, JsonTypeInfo<T> type) where T : class
    {
        if (bytes.IsSingleSegment) return Parse(bytes.FirstSpan, type);
        var length = (int)bytes.Length;
        var rented = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            bytes.CopyTo(rented);
            return Parse(rented.AsSpan(0, length), type);
        }
        finally { ArrayPool<byte>.Shared.Return(rented, clearArray: true); }
    }

    static Body<T> Parse<T>(ReadOnlySpan<byte> bytes, JsonTypeInfo<T> type) where T : class
    {
        if (bytes.IsEmpty) throw Malformed("The body is empty.");
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        try
        {
            var request = JsonSerializer.Deserialize(bytes, type) ?? throw Malformed("The body must be a JSON object.");
            return new Body<T>(request, Convert.ToHexStringLower(hash));
        }
        catch (JsonException e) { throw Explain(bytes, e); }
        // Text that is not Unicode, such as half a surrogate pair, is found only when it is read as text.
        catch (InvalidOperationException) { throw Malformed("The body holds text that is not valid Unicode."); }
    }

    /// <summary>The serializer's own messages name our types, so the body is looked at again.</summary>
    static ProblemException Explain(ReadOnlySpan<byte> bytes, JsonException e)
    {
        if (!Utf8.IsValid(bytes)) return Malformed("The body is not UTF-8.");
        var member = MemberOf(e.Path);
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = 32 });
        try
        {
            while (reader.Read()) { }
        }
        catch (JsonException syntax)
        {
            return Malformed(
                $"The body is not JSON: line {syntax.LineNumber + 1}, byte {syntax.BytePositionInLine + 1}.", member);
        }
        return member == Findings.WholeBody
            ? Malformed("The body must be a JSON object with each member once.")
            : Findings.Of(member, "It is unknown, repeated, of the wrong type, or a number out of range.");
    }

    /// <summary><c>$.lines[0].quantity</c> as <c>lines[0].quantity</c>.</summary>
    static string MemberOf(string? path) =>
        path is null or "$" ? Findings.WholeBody : path.StartsWith("$.") ? path[2..] : path[1..];

    static ProblemException Malformed(string detail, string member = Findings.WholeBody) =>
        Findings.Of(member, detail, "malformed_json");
}
