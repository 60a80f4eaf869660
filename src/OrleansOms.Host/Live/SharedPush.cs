using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace OrleansOms.Host.Live;

/// <summary>Views that go out in one write, each as a message of its own.</summary>
/// <param name="Views">The same objects for every connection that they go to.</param>
sealed record SharedPush(IReadOnlyList<object> Views);

static class SharedPushes
{
    /// <summary>Views in one write: what waits for a connection that does not read stays small.</summary>
    const int Together = 50;

    /// <summary>Sends each view as the one argument of a call of its own. They look no different to who receives them.</summary>
    public static async Task SendEach(
        this ISingleClientProxy client, string target, IReadOnlyList<object> views, CancellationToken stop)
    {
        if (views.Count is > 0 and <= Together)
        {
            await client.SendAsync(target, new SharedPush(views), stop);
            return;
        }
        foreach (var some in views.Chunk(Together)) await client.SendAsync(target, new SharedPush(some), stop);
    }
}

/// <summary>
/// A protocol that writes each view of a <see cref="SharedPush"/> once, however many connections it goes to, and copies the
/// bytes from then on. Everything else is left to the protocol that it is made of.
/// </summary>
sealed class SharedPushProtocol(IHubProtocol inner) : IHubProtocol
{
    /// <summary>Lives as long as the view does.</summary>
    readonly ConditionalWeakTable<object, Written> _written = [];

    sealed record Written(string Target, byte[] Bytes);

    /// <inheritdoc />
    public string Name => inner.Name;
    /// <inheritdoc />
    public int Version => inner.Version;
    /// <inheritdoc />
    public TransferFormat TransferFormat => inner.TransferFormat;
    /// <inheritdoc />
    public bool IsVersionSupported(int version) => inner.IsVersionSupported(version);

    /// <inheritdoc />
    public bool TryParseMessage(
        ref ReadOnlySequence<byte> input, IInvocationBinder binder, [NotNullWhen(true)] out HubMessage? message) =>
        inner.TryParseMessage(ref input, binder, out message);

    /// <inheritdoc />
    public void WriteMessage(HubMessage message, IBufferWriter<byte> output)
    {
        if (message is InvocationMessage { Arguments: [SharedPush push], Target: var target })
            foreach (var view in push.Views) output.Write(Bytes(target, view));
        else
            inner.WriteMessage(message, output);
    }

    /// <inheritdoc />
    public ReadOnlyMemory<byte> GetMessageBytes(HubMessage message)
    {
        var output = new ArrayBufferWriter<byte>();
        WriteMessage(message, output);
        return output.WrittenMemory;
    }

    byte[] Bytes(string target, object view)
    {
        if (_written.TryGetValue(view, out var written) && written.Target == target) return written.Bytes;
        var bytes = inner.GetMessageBytes(new InvocationMessage(target, [view])).ToArray();
        _written.AddOrUpdate(view, new Written(target, bytes));
        return bytes;
    }
}
