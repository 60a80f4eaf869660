using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace OrleansOms.Bench.Driving;

/// <summary>
/// One SignalR connection over a bare WebSocket that watches all orders. It speaks as much of both as this load needs:
/// messages are looked at, not parsed, so that five thousand of these fit beside what they measure.
/// </summary>
public sealed class HubSocket : IDisposable
{
    const byte RecordEnd = 0x1e;
    const int SmallWindowBytes = 4096;

    static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(30);
    static readonly byte[] Ping = Frame("""{"type":6}""");

    readonly Socket _socket;
    readonly List<byte> _part = [];
    byte[] _buffer = new byte[4 * 1024];
    int _have;

    HubSocket(Socket socket) => _socket = socket;

    /// <summary>Sees one message, without its end.</summary>
    public delegate void Seen(ReadOnlySpan<byte> message);

    /// <summary>Connects and watches.</summary>
    /// <param name="cookie">Of an operator's login; null where none is asked for.</param>
    /// <param name="isStalled">Whether it will read nothing: then it takes as little as can be in.</param>
    /// <exception cref="IOException">The server does not let it.</exception>
    public static async Task<HubSocket> Open(Uri server, string? cookie, bool isStalled = false)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, LingerState = new(true, 0) };
        if (isStalled) socket.ReceiveBufferSize = SmallWindowBytes;
        var hub = new HubSocket(socket);
        try
        {
            using var limit = new CancellationTokenSource(AnswerWithin);
            await socket.ConnectAsync(server.Host, server.Port, limit.Token);
            await hub.Upgrade(server, cookie, limit.Token);
            await hub.Send(Frame("""{"protocol":"json","version":1}"""));
            await hub.Send(Frame("""{"type":1,"invocationId":"1","target":"WatchOrders","arguments":[]}"""));
            await hub.AwaitWatch(limit.Token);
            return hub;
        }
        catch
        {
            hub.Dispose();
            throw;
        }
    }

    /// <summary>Tells the server that it lives.</summary>
    public Task KeepAlive() => Send(Ping);

    /// <summary>Reads until it is cancelled or closed.</summary>
    /// <exception cref="IOException">The server has closed it.</exception>
    public async Task Read(Seen seen, CancellationToken cancel)
    {
        while (true)
        {
            Take(seen);
            await Receive(cancel);
        }
    }

    /// <inheritdoc />
    public void Dispose() => _socket.Dispose();

    async Task Upgrade(Uri server, string? cookie, CancellationToken cancel)
    {
        await _socket.SendAsync(Encoding.ASCII.GetBytes(
            $"GET /hubs/live HTTP/1.1\r\nHost: {server.Authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            + $"{(cookie is null ? "" : $"Cookie: {cookie}\r\n")}\r\n"), cancel);
        int end;
        while ((end = _buffer.AsSpan(0, _have).IndexOf("\r\n\r\n"u8)) < 0) await Receive(cancel);
        if (!_buffer.AsSpan().StartsWith("HTTP/1.1 101"u8))
            throw new IOException($"No connection: {Encoding.UTF8.GetString(_buffer.AsSpan(0, _have))}");
        Forget(end + 4);
    }

    async Task AwaitWatch(CancellationToken cancel)
    {
        var isWatching = false;
        while (true)
        {
            Take(message =>
            {
                if (message.IndexOf("\"error\":"u8) >= 0) throw new IOException(Encoding.UTF8.GetString(message));
                isWatching |= message.StartsWith("{\"type\":3,"u8);
            });
            if (isWatching) return;
            await Receive(cancel);
        }
    }

    async Task Send(ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0) bytes = bytes[await _socket.SendAsync(bytes)..];
    }

    async Task Receive(CancellationToken cancel)
    {
        if (_have == _buffer.Length) Array.Resize(ref _buffer, _buffer.Length * 2);
        var read = await _socket.ReceiveAsync(_buffer.AsMemory(_have), cancel);
        _have += read > 0 ? read : throw new IOException("The server has closed the connection.");
    }

    /// <summary>Shows every message that is complete.</summary>
    void Take(Seen seen)
    {
        var at = 0;
        while (TryFrame(_buffer.AsSpan(at, _have - at), out var opcode, out var payload, out var length))
        {
            const int close = 8;
            if (opcode == close) throw new IOException($"The server says goodbye: {Encoding.UTF8.GetString(payload)}");
            Records(payload, seen);
            at += length;
        }
        if (at > 0) Forget(at);
    }

    /// <summary>Messages end with a mark of their own, wherever frames end.</summary>
    void Records(ReadOnlySpan<byte> payload, Seen seen)
    {
        while (payload.IndexOf(RecordEnd) is >= 0 and var end)
        {
            if (_part.Count == 0) seen(payload[..end]);
            else
            {
                _part.AddRange(payload[..end]);
                seen(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_part));
                _part.Clear();
            }
            payload = payload[(end + 1)..];
        }
        _part.AddRange(payload);
    }

    void Forget(int bytes)
    {
        _buffer.AsSpan(bytes, _have - bytes).CopyTo(_buffer);
        _have -= bytes;
    }

    /// <summary>A server does not mask: two bytes of head, the length in them or in the two or eight that follow.</summary>
    static bool TryFrame(ReadOnlySpan<byte> bytes, out int opcode, out ReadOnlySpan<byte> payload, out int length)
    {
        opcode = length = 0;
        payload = default;
        if (bytes.Length < 2) return false;
        var (head, size) = (bytes[1] & 127) switch
        {
            126 => (4, bytes.Length < 4 ? -1 : BinaryPrimitives.ReadUInt16BigEndian(bytes[2..])),
            127 => (10, bytes.Length < 10 ? -1L : BinaryPrimitives.ReadInt64BigEndian(bytes[2..])),
            var small => (2, small),
        };
        if (size < 0 || bytes.Length < head + size) return false;
        opcode = bytes[0] & 15;
        payload = bytes.Slice(head, (int)size);
        length = head + (int)size;
        return true;
    }

    /// <summary>A client must mask, and a mask of zeros is one.</summary>
    static byte[] Frame(string message)
    {
        const int text = 0x81, masked = 0x80;
        return [text, (byte)(masked | (message.Length + 1)), 0, 0, 0, 0, .. Encoding.ASCII.GetBytes(message), RecordEnd];
    }
}
