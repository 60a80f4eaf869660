using System.Text.Json;
using OrleansOms.Connectors.Channels.OnlineRetail;
using OrleansOms.Connectors.Places;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Tests.Import;

public sealed class RetailRequestsTests
{
    static readonly RetailAddresses NoPostcodes = RetailAddresses.CountriesOnly;

    static RetailOrder Order(string? customer = "17850", string country = "GB") =>
        new("536365", customer, country, [new("85123A", 6, 2.55m), new("85123A", 1, 2.5m)]);

    static string Text(RetailRequest request) => System.Text.Encoding.UTF8.GetString(request.Body);

    [Fact]
    public void An_order_is_the_request_of_the_API_with_its_invoice_as_external_id()
    {
        var request = RetailRequests.Order(Order(), NoPostcodes);
        Assert.Equal(("/api/v1/orders", "536365"), (request.Path, request.Name));
        Assert.Equal(
            """{"channel":"web","externalId":"536365","customer":{"name":"Customer 17850","email":"customer-17850@example.com"},"shipTo":{"name":"Customer 17850","line1":"Street not known","city":"United Kingdom","country":"GB"},"currency":"GBP","lines":[{"sku":"85123A","quantity":6,"unitPrice":2.55,"taxRate":0,"discount":0},{"sku":"85123A","quantity":1,"unitPrice":2.5,"taxRate":0,"discount":0}],"shipping":{"service":"standard","price":0},"payment":{"method":"prepaid","status":"paid","reference":"536365"},"stockPolicy":"backorder"}""",
            Text(request));
    }

    [Fact]
    public void An_order_carries_the_same_key_each_time_and_with_another_address_another_key()
    {
        string? KeyWith(string place) => RetailRequests.Order(Order(), RetailAddresses.From(
            [new PostcodeRow("GB", "M9", place, new GeoPoint(53, -2))], new HashSet<string> { "GB" })).Key;
        Assert.Equal(KeyWith("Manchester"), KeyWith("Manchester"));
        Assert.NotEqual(KeyWith("Manchester"), KeyWith("Worthing"));
    }

    [Fact]
    public void A_guest_has_no_email()
    {
        using var body = JsonDocument.Parse(RetailRequests.Order(Order(customer: null), NoPostcodes).Body);
        Assert.Equal("""{"name":"Guest"}""", body.RootElement.GetProperty("customer").GetRawText());
    }

    [Theory]
    [InlineData("85123A", "/api/v1/products/85123A")]
    [InlineData("BANK CHARGES", "/api/v1/products/BANK%20CHARGES")]
    [InlineData("x/y", "/api/v1/products/x%2Fy")]
    [InlineData("50% OFF?", "/api/v1/products/50%25%20OFF%3F")]
    [InlineData("84997b", "/api/v1/products/84997b")]
    [InlineData("84997B", "/api/v1/products/84997B")]
    public void A_SKU_is_percent_encoded_in_a_path_and_keeps_its_case(string sku, string path) =>
        Assert.Equal(path, RetailRequests.Product(new RetailProduct(sku, "n", 1)).Path);

    [Fact]
    public void An_address_is_chosen_by_the_customer_whatever_the_order_of_the_rows()
    {
        PostcodeRow?[] rows =
        [
            .. Enumerable.Range(0, 100).Select(i => (PostcodeRow?)new PostcodeRow("GB", $"M{i}", $"Town {i}", new GeoPoint(50, 0))),
            new PostcodeRow("GB", "M7", "Another town", new GeoPoint(50, 0)), null,
            new PostcodeRow("DE", "10115", "Berlin", new GeoPoint(52, 13)),
        ];
        var gb = new HashSet<string> { "GB", "DE" };
        var one = RetailAddresses.From(rows, gb);
        var other = RetailAddresses.From(rows.Reverse(), gb);
        var cities = new HashSet<string>();
        for (var customer = 15000; customer < 15400; customer++)
        {
            var address = one.Of(Order($"{customer}"));
            Assert.Equal(address, other.Of(Order($"{customer}")));
            Assert.Equal(address.PostalCode == "M7" ? "Another town" : $"Town {address.PostalCode![1..]}", address.City);
            cities.Add(address.City);
        }
        Assert.InRange(cities.Count, 80, 100);
        Assert.Equal(("Berlin", "10115"), (one.Of(Order(country: "DE")).City, one.Of(Order(country: "DE")).PostalCode));
        Assert.Equal(("Bahrain", null), (one.Of(Order(country: "BH")).City, one.Of(Order(country: "BH")).PostalCode));
    }

    [Fact]
    public void Opening_stock_covers_every_order_and_lies_in_three_warehouses()
    {
        var file = TestData.ReadSample();
        var received = OpeningStock.Warehouses.ToDictionary(w => w.Code, w => OpeningStock.For(w.Code, file.Products));
        Assert.Equal(["LON", "MAN", "RTM"], received.Keys);
        Assert.All(file.Products, p => Assert.True(
            received.Values.Sum(lines => lines.Where(l => l.Sku == p.Sku).Sum(l => (long)l.Quantity)) >= p.Units));
    }

    [Fact]
    public void Receipts_carry_the_same_keys_each_time_and_other_contents_other_keys()
    {
        var products = Enumerable.Range(0, 500).Select(i => new RetailProduct($"S{i}", "n", 5)).ToList();
        var receipts = RetailRequests.Receipts(products).ToList();
        Assert.Equal(receipts.Select(r => r.Key), RetailRequests.Receipts(products).Select(r => r.Key));
        Assert.Equal(receipts.Count, receipts.Select(r => r.Key).Distinct().Count());
        Assert.All(receipts, r => Assert.Equal("/api/v1/stock/receipts", r.Path));
        products[0] = products[0] with { Units = 6 };
        Assert.NotEqual(receipts.Select(r => r.Key), RetailRequests.Receipts(products).Select(r => r.Key));
        using var first = JsonDocument.Parse(receipts[0].Body);
        Assert.Equal(["warehouse", "reference", "lines"], first.RootElement.EnumerateObject().Select(m => m.Name));
        Assert.Equal("""{"sku":"S0","quantity":5}""", first.RootElement.GetProperty("lines")[0].GetRawText());
    }

    [Fact]
    public void A_warehouse_has_an_address_and_a_place()
    {
        var request = RetailRequests.Warehouse(OpeningStock.Warehouses[0]);
        Assert.Equal("/api/v1/warehouses/LON", request.Path);
        Assert.Equal(
            """{"name":"London","address":{"name":"London warehouse","line1":"1 Dock Road","city":"London","postalCode":"E16 2QU","country":"GB"},"latitude":51.508,"longitude":0.029,"active":true}""",
            Text(request));
    }
}
