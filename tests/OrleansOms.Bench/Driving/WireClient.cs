using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace OrleansOms.Bench.Driving;

/// <summary>
/// One keep-alive connection that speaks as much HTTP/1.1 as this load needs. The driver shares the machine with what it
/// measures, so it does little: requests are bytes, answers are looked at, not parsed.
/// </summary>
public sealed class WireClient : IDisposable
{
    static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(30);

    readonly Socket _socket;
    byte[] _buffer = new byte[16 * 1024];

    WireClient(Socket socket) => _socket = socket;

    /// <summary>An answer. Its bytes are valid until the next request.</summary>
    public readonly record struct Answer(int Status, ReadOnlyMemory<byte> Body)
    {
        /// <summary>The body as text.</summary>
        public string Text => Encoding.UTF8.GetString(Body.Span);
    }

    /// <summary>Connects to a host.</summary>
    public static async Task<WireClient> Connect(Uri to)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(to.Host, to.Port);
            return new WireClient(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Sends a request and reads its answer.</summary>
    /// <exception cref="IOException">The connection ended, or the answer is none that we understand.</exception>
    public async Task<Answer> Send(ReadOnlyMemory<byte> request)
    {
        using var limit = new CancellationTokenSource(AnswerWithin);
        for (var rest = request; rest.Length > 0;) rest = rest[await _socket.SendAsync(rest, limit.Token)..];
        var have = 0;
        int headEnd;
        while ((headEnd = _buffer.AsSpan(0, have).IndexOf("\r\n\r\n"u8)) < 0) have += await Receive(have, limit.Token);
        var (status, length) = ReadHead(_buffer.AsSpan(0, headEnd + 2));
        var start = headEnd + 4;
        while (have < start + length) have += await Receive(have, limit.Token);
        return new Answer(status, _buffer.AsMemory(start, length));
    }

    /// <inheritdoc />
    public void Dispose() => _socket.Dispose();

    async ValueTask<int> Receive(int have, CancellationToken cancel)
    {
        if (have == _buffer.Length) Array.Resize(ref _buffer, _buffer.Length * 2);
        var read = await _socket.ReceiveAsync(_buffer.AsMemory(have), cancel);
        return read > 0 ? read : throw new IOException("The server has closed the connection.");
    }

    static (int Status, int Length) ReadHead(ReadOnlySpan<byte> head)
    {
        var status = int.Parse(head[9..12], NumberStyles.None, CultureInfo.InvariantCulture);
        ReadOnlySpan<byte> name = "\r\nContent-Length: "u8;
        if (head.IndexOf(name) is var at && at >= 0)
        {
            var value = head[(at + name.Length)..];
            return (status, int.Parse(value[..value.IndexOf((byte)'\r')], NumberStyles.None, CultureInfo.InvariantCulture));
        }
        return status == 204 ? (status, 0) : throw new IOException("An answer without Content-Length.");
    }
}
