using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace OrleansOms.Connectors.Channels.OnlineRetail;

/// <summary>One request to the HTTP API.</summary>
/// <param name="Path">From the root, keys percent-encoded.</param>
/// <param name="Key">The idempotency key; null for a PUT, which needs none.</param>
/// <param name="Name">What it is about, for people: an invoice, a SKU.</param>
/// <param name="Body">JSON.</param>
public sealed record RetailRequest(string Path, string? Key, string Name, byte[] Body);

/// <summary>
/// The requests that bring the file into the system. The same file always makes the same requests with the same keys,
/// so that a second run adds nothing. Each key is made from the body, so that none is refused because it was used with
/// another one.
/// </summary>
public static class RetailRequests
{
    /// <summary>The sales channel of every order of the file.</summary>
    public const string Channel = "web";

    /// <summary>Lines of one receipt at most.</summary>
    public const int LinesPerReceipt = 200;

    /// <summary>PUT of one warehouse.</summary>
    public static RetailRequest Warehouse(RetailWarehouse w) => new(
        $"/api/v1/warehouses/{Uri.EscapeDataString(w.Code)}", null, w.Code,
        JsonSerializer.SerializeToUtf8Bytes(
            new WarehouseBody(w.Name, new AddressBody(w.Address.Name, w.Address.Line1, w.Address.City,
                w.Address.PostalCode, w.Address.Country), w.Location.Latitude, w.Location.Longitude, true),
            RetailJson.Default.WarehouseBody));

    /// <summary>PUT of one product.</summary>
    public static RetailRequest Product(RetailProduct p) => new(
        $"/api/v1/products/{Uri.EscapeDataString(p.Sku)}", null, p.Sku,
        JsonSerializer.SerializeToUtf8Bytes(new ProductBody(p.Name), RetailJson.Default.ProductBody));

    /// <summary>The opening stock, in chunks. Another file that sells more receives its own stock.</summary>
    public static IEnumerable<RetailRequest> Receipts(IReadOnlyList<RetailProduct> products)
    {
        foreach (var warehouse in OpeningStock.Warehouses)
        {
            var number = 0;
            foreach (var chunk in OpeningStock.For(warehouse.Code, products).Chunk(LinesPerReceipt))
            {
                var reference = $"Opening stock {warehouse.Code} {++number}";
                var body = JsonSerializer.SerializeToUtf8Bytes(
                    new ReceiptBody(warehouse.Code, reference, chunk), RetailJson.Default.ReceiptBody);
                yield return new RetailRequest("/api/v1/stock/receipts", KeyOf(body), reference, body);
            }
        }
    }

    /// <summary>
    /// POST of one order; the invoice number is its external id, of which there is one order, whatever address it is
    /// sent with.
    /// </summary>
    public static RetailRequest Order(RetailOrder order, RetailAddresses addresses)
    {
        var to = addresses.Of(order);
        var lines = new LineBody[order.Lines.Count];
        for (var i = 0; i < lines.Length; i++)
            lines[i] = new LineBody(order.Lines[i].Sku, order.Lines[i].Quantity, order.Lines[i].UnitPrice, 0, 0);
        var body = JsonSerializer.SerializeToUtf8Bytes(new OrderBody(
            Channel, order.Invoice,
            new CustomerBody(to.Name, order.Customer is { } number ? $"customer-{number}@example.com" : null),
            new AddressBody(to.Name, to.Line1, to.City, to.PostalCode, to.Country),
            RetailFile.Currency, lines, new ShippingBody("standard", 0),
            new PaymentBody("prepaid", "paid", order.Invoice), "backorder"), RetailJson.Default.OrderBody);
        return new RetailRequest("/api/v1/orders", KeyOf(body), order.Invoice, body);
    }

    static string KeyOf(byte[] body) =>
        $"online-retail-{Convert.ToHexStringLower(SHA256.HashData(body).AsSpan(0, 16))}";
}

sealed record AddressBody(string Name, string Line1, string City, string? PostalCode, string Country);

sealed record WarehouseBody(string Name, AddressBody Address, double Latitude, double Longitude, bool Active);

sealed record ProductBody(string Name);

sealed record ReceiptBody(string Warehouse, string Reference, StockLine[] Lines);

sealed record CustomerBody(string Name, string? Email);

sealed record LineBody(string Sku, int Quantity, decimal UnitPrice, decimal TaxRate, decimal Discount);

sealed record ShippingBody(string Service, decimal Price);

sealed record PaymentBody(string Method, string Status, string Reference);

sealed record OrderBody(
    string Channel, string ExternalId, CustomerBody Customer, AddressBody ShipTo, string Currency, LineBody[] Lines,
    ShippingBody Shipping, PaymentBody Payment, string StockPolicy);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(WarehouseBody))]
[JsonSerializable(typeof(ProductBody))]
[JsonSerializable(typeof(ReceiptBody))]
[JsonSerializable(typeof(OrderBody))]
sealed partial class RetailJson : JsonSerializerContext;
