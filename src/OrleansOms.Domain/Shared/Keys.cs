using System.Security.Cryptography;
using System.Text;

namespace OrleansOms.Domain.Shared;

/// <summary>
/// The keys of aggregates, which are also their streams. Every key starts with a prefix that cannot parse as
/// hexadecimal, because the AdoNet provider folds keys that look like numbers or GUIDs together.
/// </summary>
public static class Keys
{
    /// <summary>Prefix of orders: <c>ord-</c> and 26 characters.</summary>
    public const string Order = "ord-";
    /// <summary>Prefix of stocks: <c>stk-{warehouse}/{sku}</c>.</summary>
    public const string Stock = "stk-";
    /// <summary>Prefix of shipments: <c>shp-</c>, the order's 26 characters, <c>-</c>, its number in the order.</summary>
    public const string Shipment = "shp-";
    /// <summary>Prefix of stock movements (receipts and adjustments): <c>mov-</c> and 26 characters.</summary>
    public const string Movement = "mov-";
    /// <summary>Prefix of products: <c>prd-{sku}</c>.</summary>
    public const string Product = "prd-";
    /// <summary>Prefix of warehouses: <c>whs-{code}</c>.</summary>
    public const string Warehouse = "whs-";
    /// <summary>Prefix of sweepers, which have no stream: <c>swp-{shard}</c>.</summary>
    public const string Sweeper = "swp-";

    const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz"; // Crockford: no i, l, o, u

    /// <summary>The stock of one SKU in one warehouse.</summary>
    public static string OfStock(string warehouse, string sku) => $"{Stock}{warehouse}/{sku}";

    /// <summary>Splits a stock key. Warehouse codes hold no slash, SKUs may.</summary>
    public static (string Warehouse, string Sku) ReadStock(string key)
    {
        var slash = key.IndexOf('/');
        return (key[Stock.Length..slash], key[(slash + 1)..]);
    }

    /// <summary>The n-th shipment of an order, counted from 1.</summary>
    public static string OfShipment(string orderId, int number) => $"{Shipment}{orderId[Order.Length..]}-{number}";

    /// <summary>The order that a shipment belongs to.</summary>
    public static string OrderOfShipment(string shipmentId) =>
        Order + shipmentId[Shipment.Length..shipmentId.LastIndexOf('-')];

    /// <summary>
    /// The id that belongs to a caller's idempotency key: the same caller and key always reach the same grain, so the
    /// first write of its stream is the whole idempotency record.
    /// </summary>
    /// <param name="prefix">One of the prefixes above.</param>
    /// <param name="caller">Whose key it is (the API key's id, or an operator's).</param>
    /// <param name="key">The caller's idempotency key.</param>
    public static string FromIdempotencyKey(string prefix, string caller, string key)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{prefix}\0{caller}\0{key}"), hash);
        return prefix + Encode(hash[..16]);
    }

    /// <summary>16 bytes as 26 characters of Crockford's base 32.</summary>
    public static string Encode(ReadOnlySpan<byte> bytes)
    {
        Span<char> text = stackalloc char[(bytes.Length * 8 + 4) / 5];
        int buffer = 0, bits = 0, n = 0;
        foreach (var b in bytes)
        {
            buffer = (buffer << 8) | b;
            bits += 8;
            while (bits >= 5) { bits -= 5; text[n++] = Alphabet[(buffer >> bits) & 31]; }
            buffer &= (1 << bits) - 1;
        }
        if (bits > 0) text[n++] = Alphabet[(buffer << (5 - bits)) & 31];
        return new string(text[..n]);
    }

    /// <summary>Whether the text is a prefix followed by 26 characters of our alphabet.</summary>
    public static bool IsId(string prefix, string? id) =>
        id is not null && id.Length == prefix.Length + 26 && id.StartsWith(prefix, StringComparison.Ordinal)
        && id.AsSpan(prefix.Length).IndexOfAnyExcept(Alphabet) < 0;

    /// <summary>Whether the text has the shape of a shipment id.</summary>
    public static bool IsShipmentId(string? id)
    {
        if (id is null || id.Length is < 32 or > 40 || !id.StartsWith(Shipment, StringComparison.Ordinal)) return false;
        var body = id.AsSpan(Shipment.Length);
        return body[26] == '-' && body[..26].IndexOfAnyExcept(Alphabet) < 0
            && body[27..].IndexOfAnyExceptInRange('0', '9') < 0;
    }
}
