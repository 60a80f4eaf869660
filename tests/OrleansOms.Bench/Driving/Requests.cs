using System.Text;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Bench.Driving;

/// <summary>Writes the requests of the load, as bytes.</summary>
/// <param name="skus">Different SKUs that are ordered.</param>
public sealed class Requests(Uri server, string apiKey, int skus)
{
    /// <summary>The warehouse that has all of them.</summary>
    public const string Warehouse = "BENCH";

    const int StockOfEach = 1_000_000;

    readonly string _head = $"Host: {server.Authority}\r\nAuthorization: Bearer {apiKey}\r\n";

    /// <summary>The n-th SKU, from 0.</summary>
    public static string Sku(int n) => $"BENCH-{n:D5}";

    /// <summary>The id that comes first in an answer or in a message.</summary>
    public static string IdOf(ReadOnlySpan<byte> json)
    {
        var id = json[(json.IndexOf("\"id\":\""u8) + 6)..];
        return Encoding.ASCII.GetString(id[..id.IndexOf((byte)'"')]);
    }

    /// <summary>Three SKUs, of three ranges as in the raw SQL: one order does not ask for the same SKU twice.</summary>
    public string[] Three(Random random) =>
    [
        Sku(random.Next(0, skus / 3)), Sku(random.Next(skus / 3, skus * 2 / 3)), Sku(random.Next(skus * 2 / 3, skus)),
    ];

    /// <summary>An order of three different SKUs, paid, under a key of its own.</summary>
    /// <param name="key">The idempotency key.</param>
    public byte[] Order(string key, Random random) => Order(key, Three(random));

    /// <summary>An order of one unit of the n-th SKU, otherwise the same.</summary>
    public byte[] Single(string key, int n) => Order(key, [Sku(n)]);

    /// <summary>The same with these SKUs.</summary>
    public byte[] Order(string key, string[] skus)
    {
        var lines = string.Join(',', skus.Select(s =>
            $$"""{"sku":"{{s}}","quantity":1,"unitPrice":19.99,"taxRate":0.2,"discount":0}"""));
        return Write("POST", "/api/v1/orders", key,
            $$"""
            {"channel":"web","customer":{"name":"Jane Doe","email":"jane@example.com"},"shipTo":{"name":"Jane Doe","line1":"1 High Street","city":"Worthing","postalCode":"BN9 1AA","country":"GB"},"currency":"GBP","lines":[{{lines}}],"shipping":{"service":"standard","price":3.95},"payment":{"method":"prepaid","status":"paid","reference":"pi_1"},"stockPolicy":"backorder"}
            """);
    }

    /// <summary>What a warehouse and a carrier say of the one shipment of an order, from its shelves to the door.</summary>
    public IEnumerable<byte[]> Fulfil(string orderId, string[] skus)
    {
        var shipment = $"/api/v1/shipments/{Keys.OfShipment(orderId, 1)}";
        var lines = string.Join(',', skus.Select(s => $$"""{"sku":"{{s}}","quantity":1}"""));
        yield return Write("POST", $"{shipment}/pick", null, $$"""{"lines":[{{lines}}]}""");
        yield return Write("POST", $"{shipment}/pack", null, $$"""{"packages":[{"weightGrams":900,"lines":[{{lines}}]}]}""");
        yield return Write("POST", $"{shipment}/ship", null, """{"carrier":"DHL","service":"Parcel"}""");
        yield return Write("POST", $"{shipment}/tracking", null,
            $$"""{"status":"delivered","description":"At the door","eventId":"1","occurredAt":"{{DateTimeOffset.UtcNow:O}}"}""");
    }

    /// <summary>Puts the warehouse.</summary>
    public byte[] PutWarehouse() => Write("PUT", $"/api/v1/warehouses/{Warehouse}", null,
        """{"name":"Bench","address":{"name":"Bench","line1":"1 Dock Road","city":"London","postalCode":"E16 1AA","country":"GB"},"latitude":51.5,"longitude":0.0,"active":true}""");

    /// <summary>Puts a product.</summary>
    public byte[] PutProduct(int n) =>
        Write("PUT", $"/api/v1/products/{Sku(n)}", null, $$"""{"name":"Product {{n}}","weightGrams":250}""");

    /// <summary>Receives stock of some SKUs.</summary>
    public byte[] Receive(int first, int count) => Write("POST", "/api/v1/stock/receipts", $"fill-{first}",
        $$"""{"warehouse":"{{Warehouse}}","reference":"fill","lines":[{{string.Join(',', Enumerable.Range(first, count).Select(n => $$"""{"sku":"{{Sku(n)}}","quantity":{{StockOfEach}}}"""))}}]}""");

    /// <summary>Reads a stock.</summary>
    public byte[] GetStock(int n) => Encoding.ASCII.GetBytes(
        $"GET /api/v1/stock/{Warehouse}/{Sku(n)} HTTP/1.1\r\n{_head}\r\n");

    byte[] Write(string method, string path, string? key, string body) => Encoding.UTF8.GetBytes(
        $"{method} {path} HTTP/1.1\r\n{_head}{(key is null ? "" : $"Idempotency-Key: {key}\r\n")}" +
        $"Content-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");
}
