using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.ApiTests;

/// <summary>A program of its own in which nothing else goes on, so that "changes nothing" can be counted.</summary>
public sealed class QuietApp : IAsyncLifetime
{
    /// <summary>The program.</summary>
    public OmsApp App { get; } = new() { Settings = new() { ["Oms:MaxBodyBytes"] = "2000000" } };

    /// <inheritdoc />
    public async ValueTask InitializeAsync()
    {
        await App.InitializeAsync();
        await App.Receive("LON", "A", 1000);
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => App.DisposeAsync();
}

/// <summary>Each kind of bad input has its status and code, and changes nothing.</summary>
public sealed class BadInputTests(QuietApp quiet) : IClassFixture<QuietApp>
{
    readonly OmsApp _app = quiet.App;

    /// <summary>A change to a good order, and what it is answered.</summary>
    public static TheoryData<string, Action<JsonObject>, int, string, string?> BadOrders()
    {
        var data = new TheoryData<string, Action<JsonObject>, int, string, string?>();
        void Bad(string name, Action<JsonObject> change, string member, string code = "invalid_request") =>
            data.Add(name, change, 400, code, member);
        void Unknown(string what, Action<JsonObject> change) => data.Add($"unknown {what}", change, 422, $"unknown_{what}", null);

        Bad("unknown member", o => o["color"] = "red", "color");
        Bad("unknown member of a line", o => Line(o)["note"] = "x", "lines[0].note");
        Bad("negative quantity", o => Line(o)["quantity"] = -1, "lines[0].quantity");
        Bad("zero quantity", o => Line(o)["quantity"] = 0, "lines[0].quantity");
        Bad("huge quantity", o => Line(o)["quantity"] = 1_000_001, "lines[0].quantity");
        Bad("quantity beyond 32 bits", o => Line(o)["quantity"] = 99_999_999_999, "lines[0].quantity");
        Bad("quantity as text", o => Line(o)["quantity"] = "6", "lines[0].quantity");
        Bad("quantity with a fraction", o => Line(o)["quantity"] = 1.5, "lines[0].quantity");
        Bad("no quantity", o => Line(o).Remove("quantity"), "lines[0].quantity");
        Bad("10,001 lines", o => o["lines"] = Lines(o, 10_001, 1), "lines", "too_many_lines");
        Bad("more than 10,000,000 units", o => o["lines"] = Lines(o, 11, 1_000_000), "lines", "too_many_units");
        Bad("no lines", o => o["lines"] = new JsonArray(), "lines");
        Bad("a line that is null", o => o["lines"] = new JsonArray((JsonNode?)null), "lines[0]");
        Bad("too many decimals for GBP", o => Line(o)["unitPrice"] = 2.555m, "lines[0].unitPrice");
        Bad("decimals in JPY", o => (o["currency"], Line(o)["unitPrice"]) = ("JPY", 2.5m), "lines[0].unitPrice");
        Bad("four decimals in KWD", o => (o["currency"], Line(o)["unitPrice"]) = ("KWD", 2.5555m), "lines[0].unitPrice");
        Bad("more digits than a decimal has", o => Line(o)["unitPrice"] = JsonNode.Parse("2.55000000000000000000000000000001"), "lines[0].unitPrice");
        Bad("negative price", o => Line(o)["unitPrice"] = -1, "lines[0].unitPrice");
        Bad("huge price", o => Line(o)["unitPrice"] = 1_000_000_001, "lines[0].unitPrice");
        Bad("no price", o => Line(o).Remove("unitPrice"), "lines[0].unitPrice");
        Bad("tax above 1", o => Line(o)["taxRate"] = 1.01m, "lines[0].taxRate");
        Bad("tax below 0", o => Line(o)["taxRate"] = -0.2m, "lines[0].taxRate");
        Bad("tax with seven decimals", o => Line(o)["taxRate"] = 0.2000001m, "lines[0].taxRate");
        Bad("negative discount", o => Line(o)["discount"] = -1, "lines[0].discount");
        Bad("discount above the line", o => Line(o)["discount"] = 15.31m, "lines[0].discount");
        Bad("blank SKU", o => Line(o)["sku"] = " ", "lines[0].sku");
        Bad("SKU of 65 characters", o => Line(o)["sku"] = new string('x', 65), "lines[0].sku");
        Bad("SKU with a line feed", o => Line(o)["sku"] = "a\nb", "lines[0].sku");
        Bad("no channel", o => o.Remove("channel"), "channel");
        Bad("no customer", o => o.Remove("customer"), "customer");
        Bad("no customer's name", o => o["customer"] = new JsonObject(), "customer.name");
        Bad("name of 201 characters", o => o["customer"]!["name"] = new string('x', 201), "customer.name");
        Bad("control character in a name", o => o["customer"]!["name"] = "a\u0007b", "customer.name");
        Bad("e-mail without @", o => o["customer"]!["email"] = "jane.example.com", "customer.email");
        Bad("e-mail with a blank", o => o["customer"]!["email"] = "ja ne@example.com", "customer.email");
        Bad("no address", o => o.Remove("shipTo"), "shipTo");
        Bad("no city", o => o["shipTo"]!.AsObject().Remove("city"), "shipTo.city");
        Bad("no country", o => o["shipTo"]!.AsObject().Remove("country"), "shipTo.country");
        Bad("blank line1", o => o["shipTo"]!["line1"] = "", "shipTo.line1");
        Bad("no currency", o => o.Remove("currency"), "currency");
        Bad("no shipping", o => o.Remove("shipping"), "shipping");
        Bad("negative shipping", o => o["shipping"]!["price"] = -1, "shipping.price");
        Bad("no payment", o => o.Remove("payment"), "payment");
        Bad("unknown payment method", o => o["payment"]!["method"] = "barter", "payment.method");
        Bad("payment method as a number", o => o["payment"]!["method"] = 0, "payment.method");
        Bad("unknown payment status", o => o["payment"]!["status"] = "failed", "payment.status");
        Bad("terms without days", o => o["payment"] = new JsonObject { ["method"] = "terms" }, "payment.days");
        Bad("prepaid with days", o => o["payment"]!["days"] = 3, "payment.days");
        Bad("unknown stock policy", o => o["stockPolicy"] = "hope", "stockPolicy");
        Bad("blank external id", o => o["externalId"] = "", "externalId");
        Bad("external id of 101 characters", o => o["externalId"] = new string('x', 101), "externalId");
        Unknown("currency", o => o["currency"] = "XXX");
        Unknown("country", o => o["shipTo"]!["country"] = "XX");
        Unknown("channel", o => o["channel"] = "carrier pigeon");
        Unknown("sku", o => Line(o)["sku"] = "nope");
        data.Add("SKU in another case", o => Line(o)["sku"] = "a", 422, "unknown_sku", null);
        return data;
    }

    [Theory, MemberData(nameof(BadOrders), DisableDiscoveryEnumeration = true)]
    public async Task A_bad_order_is_refused_and_changes_nothing(
        string name, Action<JsonObject> change, int status, string code, string? member)
    {
        var before = await _app.CountEvents();
        var order = Api.Order(("A", 6));
        change(order);
        var answer = await _app.Api.Post("/api/v1/orders", order, Api.NewKey());
        Assert.True((status, code) == (answer.Status, answer.Code), $"{name}: {answer}");
        if (member is not null) Assert.True(answer.Json["errors"]?[member] is not null, $"{name}: {answer}");
        AssertProblem(answer);
        Assert.Equal(before, await _app.CountEvents());
    }

    [Fact]
    public async Task All_members_that_are_missing_are_named_at_once()
    {
        var answer = await _app.Api.Post("/api/v1/orders", new JsonObject(), Api.NewKey());
        Assert.Equal(["channel", "currency", "customer", "shipTo", "lines", "shipping", "payment"],
            answer.Json["errors"]!.AsObject().Select(e => e.Key));
    }

    [Theory]
    [InlineData(""), InlineData("{"), InlineData("{\"channel\":\"web\",}"), InlineData("// hi\n{}"), InlineData("null")]
    [InlineData("[]"), InlineData("\"x\""), InlineData("{} {}"), InlineData("{\"channel\":\"web\",\"channel\":\"web\"}")]
    [InlineData("{\"lines\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}")]
    [InlineData("{\"channel\":\"\\ud800\"}"), InlineData("{\"channel\":NaN}")]
    public async Task What_is_not_the_JSON_of_an_order_is_400(string body)
    {
        var before = await _app.CountEvents();
        var answer = await _app.Api.Send(HttpMethod.Post, "/api/v1/orders", body, Api.NewKey());
        Assert.True(answer.Status == 400, answer.ToString());
        Assert.Contains(answer.Code, new[] { "malformed_json", "invalid_request" });
        AssertProblem(answer);
        Assert.Equal(before, await _app.CountEvents());
    }

    [Theory]
    [InlineData("{\"lines\":[{\"sku\":}]}", "lines[0].sku"), InlineData("{\"customer\":{\"name\":\"Jane", "customer.name")]
    [InlineData("not JSON", "$"), InlineData("", "$"), InlineData("[]", "$")]
    public async Task A_fault_of_the_JSON_is_told_by_its_member_or_of_the_body_as_a_whole(string body, string member)
    {
        var answer = await _app.Api.Send(HttpMethod.Post, "/api/v1/orders", body, Api.NewKey());
        Assert.Equal((400, "malformed_json"), (answer.Status, answer.Code));
        Assert.Equal([member], answer.Json["errors"]!.AsObject().Select(e => e.Key));
        AssertProblem(answer);
    }

    [Fact]
    public async Task Bytes_that_are_not_UTF8_are_400()
    {
        var answer = await Raw(new ByteArrayContent([(byte)'{', (byte)'"', 0xff, 0xfe, (byte)'"', (byte)':', (byte)'1', (byte)'}']),
            "application/json");
        Assert.Equal((400, "malformed_json"), (answer.Status, answer.Code));
    }

    [Theory]
    [InlineData("text/plain"), InlineData("application/xml"), InlineData("application/json; charset=utf-16"), InlineData(null)]
    public async Task Another_media_type_is_415(string? type)
    {
        var answer = await Raw(new ByteArrayContent(Encoding.UTF8.GetBytes(Api.Order(("A", 1)).ToJsonString())), type);
        Assert.Equal((415, "unsupported_media_type"), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task A_compressed_body_is_415()
    {
        var content = new ByteArrayContent([31, 139, 8]);
        content.Headers.ContentEncoding.Add("gzip");
        Assert.Equal(415, (await Raw(content, "application/json")).Status);
    }

    [Theory]
    [InlineData(true), InlineData(false)]
    public async Task A_body_over_the_limit_is_413(bool isLengthKnown)
    {
        var before = await _app.CountEvents();
        var order = Api.Order(("A", 1));
        order["customer"]!["name"] = new string('x', 2_000_000);
        HttpContent content = new StringContent(order.ToJsonString(), Encoding.UTF8, "application/json");
        var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/orders") { Content = content };
        request.Headers.Add("Idempotency-Key", Api.NewKey());
        if (!isLengthKnown) request.Headers.TransferEncodingChunked = true;
        var answer = await _app.Api.Send(request);
        Assert.Equal((413, "body_too_large"), (answer.Status, answer.Code));
        Assert.Equal(before, await _app.CountEvents());
    }

    [Theory]
    [InlineData(null, "idempotency_key_required"), InlineData("", "invalid_idempotency_key"), InlineData("tab\tkey", "invalid_idempotency_key")]
    [InlineData("256", "invalid_idempotency_key")]
    public async Task A_missing_or_malformed_idempotency_key_is_400(string? key, string code)
    {
        if (key == "256") key = new string('k', 256);
        var before = await _app.CountEvents();
        foreach (var (path, body) in new[]
        {
            ("/api/v1/orders", Api.Order(("A", 1)).ToJsonString()),
            ("/api/v1/stock/receipts", """{"warehouse":"LON","reference":"r","lines":[{"sku":"A","quantity":1}]}"""),
            ("/api/v1/stock/adjustments", """{"warehouse":"LON","reason":"r","lines":[{"sku":"A","delta":1}]}"""),
            ("/api/v1/stock/condition-changes", """{"warehouse":"LON","reason":"r","lines":[{"sku":"A","quantity":1,"from":"sellable","to":"damaged"}]}"""),
        })
        {
            var answer = await _app.Api.Send(HttpMethod.Post, path, body, key);
            Assert.Equal((400, code), (answer.Status, answer.Code));
            Assert.NotNull(answer.Json["errors"]!["Idempotency-Key"]);
        }
        Assert.Equal(before, await _app.CountEvents());
    }

    [Theory]
    [InlineData("receipts", """{"warehouse":"NOPE","reference":"r","lines":[{"sku":"A","quantity":1}]}""", 422, "unknown_warehouse")]
    [InlineData("receipts", """{"warehouse":"LON","reference":"r","lines":[{"sku":"nope","quantity":1}]}""", 422, "unknown_sku")]
    [InlineData("receipts", """{"warehouse":"LON","reference":"r","lines":[{"sku":"A","quantity":0}]}""", 400, "invalid_request")]
    [InlineData("receipts", """{"warehouse":"LON","reference":"r","lines":[{"sku":"A","quantity":100000001}]}""", 400, "invalid_request")]
    [InlineData("receipts", """{"warehouse":"LON","lines":[{"sku":"A","quantity":1}]}""", 400, "invalid_request")]
    [InlineData("receipts", """{"warehouse":"LON","reference":"r","lines":[]}""", 400, "invalid_request")]
    [InlineData("receipts", """{"warehouse":"LON","reference":"r","lines":[{"sku":"A","delta":1}]}""", 400, "invalid_request")]
    [InlineData("adjustments", """{"warehouse":"LON","reason":"r","lines":[{"sku":"A","delta":0}]}""", 400, "invalid_request")]
    [InlineData("adjustments", """{"warehouse":"LON","reason":"r","lines":[{"sku":"A","delta":1,"condition":"mouldy"}]}""", 400, "invalid_request")]
    [InlineData("receipts", """{"warehouse":"LON","reference":"r","lines":[{"sku":"A","quantity":1,"condition":1}]}""", 400, "invalid_request")]
    [InlineData("condition-changes", """{"warehouse":"LON","reason":"r","lines":[{"sku":"A","quantity":1,"to":"damaged"}]}""", 400, "invalid_request")]
    [InlineData("condition-changes", """{"warehouse":"LON","reason":"r","lines":[{"sku":"A","quantity":1,"from":"damaged"}]}""", 400, "invalid_request")]
    [InlineData("condition-changes", """{"warehouse":"LON","reason":"r","lines":[{"sku":"A","quantity":1,"from":"damaged","to":"damaged"}]}""", 400, "invalid_request")]
    [InlineData("condition-changes", """{"warehouse":"LON","reason":"r","lines":[{"sku":"A","quantity":0,"from":"sellable","to":"damaged"}]}""", 400, "invalid_request")]
    [InlineData("condition-changes", """{"warehouse":"LON","lines":[{"sku":"A","quantity":1,"from":"sellable","to":"damaged"}]}""", 400, "invalid_request")]
    [InlineData("condition-changes", """{"warehouse":"LON","reason":"r","lines":[{"sku":"NOPE","quantity":1,"from":"sellable","to":"damaged"}]}""", 422, "unknown_sku")]
    [InlineData("adjustments", """{"warehouse":"NOPE","reason":"r","lines":[{"sku":"A","delta":1}]}""", 422, "unknown_warehouse")]
    public async Task Bad_movements_are_refused_and_change_nothing(string what, string body, int status, string code)
    {
        var before = await _app.CountEvents();
        var answer = await _app.Api.Send(HttpMethod.Post, $"/api/v1/stock/{what}", body, Api.NewKey());
        Assert.True((status, code) == (answer.Status, answer.Code), answer.ToString());
        Assert.Equal(before, await _app.CountEvents());
    }

    [Theory]
    [InlineData("warehouses/lon", """{"name":"x","active":true,"address":{"line1":"1","city":"c","country":"GB"}}""", 400)]
    [InlineData("warehouses/LDS", """{"name":"x","active":true,"address":{"line1":"1","city":"c","country":"XX"}}""", 422)]
    [InlineData("warehouses/LDS", """{"name":"x","active":true,"latitude":91,"longitude":0,"address":{"line1":"1","city":"c","country":"GB"}}""", 400)]
    [InlineData("warehouses/LDS", """{"name":"x","active":true,"latitude":1,"address":{"line1":"1","city":"c","country":"GB"}}""", 400)]
    [InlineData("warehouses/LDS", """{"name":"x","address":{"line1":"1","city":"c","country":"GB"}}""", 400)]
    [InlineData("warehouses/LDS", """{"name":"x","active":true}""", 400)]
    [InlineData("products/%20x", """{"name":"x"}""", 400), InlineData("products/x%0Ay", """{"name":"x"}""", 400)]
    [InlineData("products/x", """{"name":""}""", 400), InlineData("products/x", """{"name":"x","weightGrams":-1}""", 400)]
    [InlineData("products/x", """{"name":"x","weightGrams":1e3}""", 400), InlineData("products/x", """{"sku":"x","name":"x"}""", 400)]
    public async Task Bad_master_data_is_refused_and_changes_nothing(string path, string body, int status)
    {
        var before = await _app.CountEvents();
        var answer = await _app.Api.Send(HttpMethod.Put, $"/api/v1/{path}", body);
        Assert.True(status == answer.Status, answer.ToString());
        AssertProblem(answer);
        Assert.Equal(before, await _app.CountEvents());
    }

    [Theory]
    [InlineData("ord-00000000000000000000000000"), InlineData("nonsense"), InlineData("ORD-00000000000000000000000000"), InlineData("ord-%2F")]
    public async Task An_order_that_is_not_there_is_404_for_every_command(string id)
    {
        var before = await _app.CountEvents();
        foreach (var (method, verb, body) in new[]
        {
            (HttpMethod.Get, "", null), (HttpMethod.Get, "/timeline", null),
            (HttpMethod.Post, "/cancel", """{"reason":"x"}"""),
            (HttpMethod.Post, "/payments", """{"status":"paid","amount":1,"reference":"x"}"""),
        })
        {
            var answer = await _app.Api.Send(method, $"/api/v1/orders/{id}{verb}", body);
            Assert.Equal((404, "not_found"), (answer.Status, answer.Code));
        }
        Assert.Equal(before, await _app.CountEvents());
    }

    static void AssertProblem(Answer answer)
    {
        Assert.Equal("application/problem+json", answer.Http.Content.Headers.ContentType!.ToString());
        Assert.Equal(answer.Status, answer.Json["status"]!.GetValue<int>());
        foreach (var member in new[] { "type", "title", "code", "detail", "traceId" })
            Assert.True(answer.Json[member] is not null, $"{member}: {answer}");
        if (answer.Status == 400) Assert.True(answer.Json["errors"] is JsonObject { Count: > 0 }, answer.ToString());
        foreach (var inside in new[] { "System.", "OrleansOms.", "Npgsql", "   at ", "Exception", "select " })
            Assert.DoesNotContain(inside, answer.Text);
    }

    Task<Answer> Raw(ByteArrayContent content, string? type)
    {
        content.Headers.ContentType = type is null ? null : MediaTypeHeaderValue.Parse(type);
        var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/orders") { Content = content };
        request.Headers.Add("Idempotency-Key", Api.NewKey());
        return _app.Api.Send(request);
    }

    static JsonObject Line(JsonObject order) => order["lines"]![0]!.AsObject();

    static JsonArray Lines(JsonObject order, int count, int quantity)
    {
        var line = Line(order);
        line["quantity"] = quantity;
        return [.. Enumerable.Range(0, count).Select(_ => line.DeepClone())];
    }
}
