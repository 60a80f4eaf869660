using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Postgres.Security;

namespace OrleansOms.Host.Security;

/// <summary>
/// The customer's links. A token names one order and the day on which it ends, and carries a signature; nothing is stored
/// for it, and the same order has the same one, whoever makes it: when the cluster's secret was renewed, the value that was
/// used when the order was placed signs it, until that one is forgotten.
/// </summary>
/// <param name="secret">The cluster's secret, as it is now.</param>
/// <param name="lifetime">How long a link lives, counted from the order.</param>
/// <param name="publicUrl">Where customers reach this host; empty to use the address where it listens.</param>
/// <param name="listensAt">Where it listens; asked once it does.</param>
public sealed class TrackingLinks(Func<RenewedSecret> secret, TimeSpan lifetime, string? publicUrl, Func<string> listensAt)
{
    const int OrderBytes = 16, DayBytes = 4, SignatureBytes = 16;
    const int TokenBytes = OrderBytes + DayBytes + SignatureBytes;
    const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

    static readonly DateTimeOffset Epoch = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    readonly string? _public = string.IsNullOrWhiteSpace(publicUrl) ? null : publicUrl.TrimEnd('/');
    string? _own;

    /// <summary>
    /// The customer's link to an order. It is not made from the request: a retry gets the same answer by whatever name
    /// it calls the host, and no caller decides where a customer is sent.
    /// </summary>
    /// <param name="seenAt">Where a person looks at the order: their own link leads there if no address is set.</param>
    public string UrlFor(OrderView order, string? seenAt = null) =>
        $"{_public ?? seenAt?.TrimEnd('/') ?? (_own ??= listensAt())}/track/{TokenFor(order.Id, order.PlacedAt)}";

    /// <summary>The order with its link.</summary>
    public OrderView WithUrl(OrderView order) => order with { TrackingUrl = UrlFor(order) };

    /// <summary>The token of an order.</summary>
    public string TokenFor(string orderId, DateTimeOffset placedAt)
    {
        Span<byte> token = stackalloc byte[TokenBytes];
        if (!TryDecode(orderId, token[..OrderBytes])) throw new ArgumentException("Not an order's id.", nameof(orderId));
        var lastDay = (int)Math.Ceiling((placedAt + lifetime - Epoch).TotalDays);
        BinaryPrimitives.WriteInt32BigEndian(token[OrderBytes..], lastDay);
        var now = secret();
        var key = now.Former.FirstOrDefault(f => placedAt < f.UsedUntil)?.Value ?? now.Value;
        Sign(key, token[..(OrderBytes + DayBytes)], token[(OrderBytes + DayBytes)..]);
        return Base64Url.EncodeToString(token);
    }

    /// <summary>The order that a token opens; false if it is forged, broken or too old.</summary>
    public bool TryRead(string? token, DateTimeOffset now, [NotNullWhen(true)] out string? orderId)
    {
        orderId = null;
        Span<byte> bytes = stackalloc byte[TokenBytes];
        if (token?.Length != Base64Url.GetEncodedLength(TokenBytes)
            || Base64Url.DecodeFromChars(token, bytes, out _, out var length) != OperationStatus.Done
            || length != TokenBytes) return false;
        if (!IsSigned(bytes[..(OrderBytes + DayBytes)], bytes[(OrderBytes + DayBytes)..])) return false;
        if (now > Epoch.AddDays(BinaryPrimitives.ReadInt32BigEndian(bytes[OrderBytes..]))) return false;
        orderId = Keys.Order + Keys.Encode(bytes[..OrderBytes]);
        return true;
    }

    bool IsSigned(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        var now = secret();
        Span<byte> right = stackalloc byte[SignatureBytes];
        Sign(now.Value, data, right);
        var isSigned = CryptographicOperations.FixedTimeEquals(signature, right);
        foreach (var former in now.Former)
        {
            Sign(former.Value, data, right);
            isSigned |= CryptographicOperations.FixedTimeEquals(signature, right);
        }
        return isSigned;
    }

    static void Sign(byte[] key, ReadOnlySpan<byte> data, Span<byte> signature)
    {
        Span<byte> full = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, data, full);
        full[..SignatureBytes].CopyTo(signature);
    }

    /// <summary>The 16 bytes behind an order's 26 characters.</summary>
    static bool TryDecode(string orderId, Span<byte> bytes)
    {
        if (!Keys.IsId(Keys.Order, orderId)) return false;
        int buffer = 0, bits = 0, n = 0;
        foreach (var c in orderId.AsSpan(Keys.Order.Length))
        {
            buffer = (buffer << 5) | Alphabet.IndexOf(c);
            bits += 5;
            if (bits < 8) continue;
            bits -= 8;
            bytes[n++] = (byte)(buffer >> bits);
            buffer &= (1 << bits) - 1;
        }
        return n == OrderBytes;
    }
}
