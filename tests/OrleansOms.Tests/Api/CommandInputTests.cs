using System.Text;
using System.Text.Json.Nodes;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.ApiTests;

/// <summary>Commands on orders and shipments: what is malformed, meaningless, out of turn, repeated or sent at once.</summary>
public sealed class CommandInputTests(QuietApp quiet) : IClassFixture<QuietApp>
{
    const string Many = "10001 lines";

    readonly OmsApp _app = quiet.App;

    /// <summary>Every address that takes a body, with a good one; <c>{order}</c> and <c>{shipment}</c> exist.</summary>
    public static TheoryData<string, string, string> Addresses() => new()
    {
        { "POST", "orders", Api.Order(("A", 1)).ToJsonString() },
        { "POST", "orders/{order}/cancel", """{"reason":"x"}""" },
        { "POST", "orders/{order}/payments", """{"status":"failed","amount":1,"reference":"x"}""" },
        { "PUT", "warehouses/NEW", """{"name":"x","active":true,"address":{"line1":"1","city":"c","country":"GB"}}""" },
        { "PUT", "products/new", """{"name":"x"}""" },
        { "POST", "stock/receipts", """{"warehouse":"LON","reference":"r","lines":[{"sku":"A","quantity":1}]}""" },
        { "POST", "stock/adjustments", """{"warehouse":"LON","reason":"r","lines":[{"sku":"A","delta":1}]}""" },
        {
            "POST", "stock/condition-changes",
            """{"warehouse":"LON","reason":"r","lines":[{"sku":"A","quantity":1,"from":"sellable","to":"damaged"}]}"""
        },
        { "POST", "shipments/{shipment}/pick", """{"lines":[{"sku":"A","quantity":3}]}""" },
        { "POST", "shipments/{shipment}/pack", """{"packages":[{"weightGrams":1,"lines":[{"sku":"A","quantity":3}]}]}""" },
        { "POST", "shipments/{shipment}/ship", """{"carrier":"c","service":"s"}""" },
        {
            "POST", "shipments/{shipment}/tracking",
            """{"status":"delivered","description":"d","occurredAt":"2026-01-03T10:00:00Z","eventId":"e"}"""
        },
    };

    [Theory, MemberData(nameof(Addresses))]
    public async Task Every_address_refuses_a_body_that_it_does_not_take(string method, string path, string good)
    {
        var (order, shipment) = await Released(3);
        path = path.Replace("{order}", order).Replace("{shipment}", shipment);
        var before = await _app.CountEvents();
        Refused(400, "malformed_json", await Send(good[..^1]));
        Refused(400, "malformed_json", await Send(""));
        Refused(400, "malformed_json", await Send("[]"));
        Refused(400, "malformed_json", await Send("null"));
        var unknown = await Send($$"""{"color":1,{{good[1..]}}""");
        Refused(400, "invalid_request", unknown);
        Assert.NotNull(unknown.Json["errors"]!["color"]);
        Refused(415, "unsupported_media_type", await Send(good, "text/plain"));
        Refused(413, "body_too_large", await Send(good + new string(' ', 2_000_000), asksFirst: true));
        Assert.Equal(before, await _app.CountEvents());

        // Who sends a large body without asking may find the wire closed before the answer is read.
        Task<Answer> Send(string body, string type = "application/json", bool asksFirst = false)
        {
            var request = new HttpRequestMessage(new HttpMethod(method), $"/api/v1/{path}")
            {
                Content = new StringContent(body, Encoding.UTF8, type),
            };
            request.Headers.Add("Idempotency-Key", Api.NewKey());
            request.Headers.ExpectContinue = asksFirst;
            return _app.Api.Send(request);
        }
    }

    [Theory]
    [InlineData("cancel", """{}""", 400, "invalid_request", "reason")]
    [InlineData("cancel", """{"reason":" "}""", 400, "invalid_request", "reason")]
    [InlineData("cancel", """{"reason":"x","lines":[]}""", 400, "invalid_request", "lines")]
    [InlineData("cancel", """{"reason":"x","lines":[null]}""", 400, "invalid_request", "lines[0].lineId")]
    [InlineData("cancel", """{"reason":"x","lines":[{"lineId":1,"quantity":0}]}""", 400, "invalid_request", "lines[0].quantity")]
    [InlineData("cancel", """{"reason":"x","lines":[{"lineId":1,"quantity":-1}]}""", 400, "invalid_request", "lines[0].quantity")]
    [InlineData("cancel", """{"reason":"x","lines":[{"lineId":1,"quantity":1000001}]}""", 400, "invalid_request", "lines[0].quantity")]
    [InlineData("cancel", Many, 400, "too_many_lines", "lines")]
    [InlineData("cancel", """{"reason":"x","lines":[{"lineId":2,"quantity":1}]}""", 422, "unknown_line", null)]
    [InlineData("cancel", """{"reason":"x","lines":[{"lineId":1,"quantity":4}]}""", 409, "order_not_cancellable", null)]
    [InlineData("cancel", """{"reason":"x","lines":[{"lineId":1,"quantity":2},{"lineId":1,"quantity":2}]}""", 409, "order_not_cancellable", null)]
    [InlineData("payments", """{"status":"paid","amount":1.001,"reference":"r"}""", 400, "invalid_request", "amount")]
    [InlineData("payments", """{"status":"paid","amount":-1,"reference":"r"}""", 400, "invalid_request", "amount")]
    [InlineData("payments", """{"status":"paid","amount":0,"reference":"r"}""", 400, "invalid_request", "amount")]
    [InlineData("payments", """{"status":"paid","amount":1e3,"reference":"r"}""", 400, "invalid_request", "amount")]
    [InlineData("payments", """{"status":"paid","amount":"1","reference":"r"}""", 400, "invalid_request", "amount")]
    [InlineData("payments", """{"status":"paid","reference":"r"}""", 400, "invalid_request", "amount")]
    [InlineData("payments", """{"status":"pending","amount":1,"reference":"r"}""", 400, "invalid_request", "status")]
    [InlineData("payments", """{"status":"paid","amount":1}""", 400, "invalid_request", "reference")]
    [InlineData("payments", """{"status":"paid","amount":1000,"reference":"r"}""", 422, "amount_too_high", null)]
    public async Task A_bad_command_on_an_order_changes_nothing(string verb, string body, int status, string code, string? member)
    {
        var request = Api.Order(("A", 3));
        request["payment"] = new JsonObject { ["method"] = "prepaid", ["status"] = "pending" };
        var id = (await _app.Api.Place(request)).Id();
        if (body == Many) body = $$"""{"reason":"x","lines":[{{ManyOf("""{"lineId":1,"quantity":1}""")}}]}""";
        await Refused($"orders/{id}/{verb}", body, status, code, member);
    }

    [Theory]
    [InlineData("pick", """{"lines":[{"sku":"A","quantity":1000001}]}""", 400, "invalid_request", "lines[0].quantity")]
    [InlineData("pick", """{"lines":[{"sku":"A","quantity":-1}]}""", 400, "invalid_request", "lines[0].quantity")]
    [InlineData("pick", Many, 400, "too_many_lines", "lines")]
    [InlineData("pick", """{"lines":[{"sku":"B","quantity":1}]}""", 422, "sku_not_in_shipment", null)]
    [InlineData("pick", """{"lines":[{"sku":"A","quantity":4}]}""", 422, "too_many_units", null)]
    [InlineData("pack", """{"packages":[{"weightGrams":10000001,"lines":[{"sku":"A","quantity":3}]}]}""", 400, "invalid_request", "packages[0].weightGrams")]
    [InlineData("pack", """{"packages":[{"weightGrams":1,"lines":[]}]}""", 400, "invalid_request", "packages[0].lines")]
    [InlineData("pack", """{"packages":[{"weightGrams":1,"lines":[{"sku":"A","quantity":3}]}]}""", 409, "shipment_not_packable", null)]
    [InlineData("ship", """{"carrier":"c","service":"s"}""", 409, "shipment_not_packed", null)]
    [InlineData("tracking", """{"status":"delivered","description":"d","occurredAt":"1960-01-03T10:00:00Z","eventId":"e"}""", 400, "invalid_request", "occurredAt")]
    [InlineData("tracking", """{"status":"delivered","description":"d","occurredAt":"2026-01-03T10:00:00Z","eventId":"e"}""", 409, "shipment_not_shipped", null)]
    public async Task A_bad_command_on_a_shipment_changes_nothing(string verb, string body, int status, string code, string? member)
    {
        var (_, id) = await Released(3);
        if (body == Many) body = $$"""{"lines":[{{ManyOf("""{"sku":"A","quantity":1}""")}}]}""";
        await Refused($"shipments/{id}/{verb}", body, status, code, member);
    }

    [Fact]
    public async Task What_has_left_or_ended_takes_no_more_commands_and_says_so()
    {
        var (order, shipment) = await Released(2);
        await Fulfil(shipment, 2);
        await OmsApp.Until(() => Read(order), o => (string?)o["status"] == "shipped");
        await Refused($"orders/{order}/cancel", """{"reason":"x"}""", 409, "order_not_cancellable");
        await Refused($"orders/{order}/payments", """{"status":"paid","amount":1,"reference":"r"}""", 409, "order_not_payable");
        await Refused($"shipments/{shipment}/pick", """{"lines":[{"sku":"A","quantity":1}]}""", 409, "already_picked");
        await Refused($"shipments/{shipment}/pack",
            """{"packages":[{"weightGrams":2,"lines":[{"sku":"A","quantity":2}]}]}""", 409, "shipment_not_packable");
        await Refused($"shipments/{shipment}/ship", """{"carrier":"other","service":"s"}""", 409, "shipment_not_packed");

        var (ended, cancelled) = await Released(1);
        await _app.Api.Must(200, HttpMethod.Post, $"/api/v1/orders/{ended}/cancel", JsonNode.Parse("""{"reason":"x"}"""));
        await Refused($"orders/{ended}/payments", """{"status":"paid","amount":1,"reference":"r"}""", 409, "order_not_payable");
        await Refused($"shipments/{cancelled}/pick", """{"lines":[{"sku":"A","quantity":1}]}""", 409, "shipment_not_pickable");
    }

    [Fact]
    public async Task Commands_sent_again_or_many_at_once_happen_once()
    {
        var (order, shipment) = await Released(5);
        foreach (var (verb, body, type) in new[]
        {
            ("pick", """{"lines":[{"sku":"A","quantity":5}]}""", "units-picked"),
            ("pack", """{"packages":[{"weightGrams":9,"lines":[{"sku":"A","quantity":5}]}]}""", "packed"),
            ("ship", """{"carrier":"c","service":"s","trackingNumber":"T"}""", "shipped"),
            ("tracking", """{"status":"delivered","description":"d","occurredAt":"2026-01-03T10:00:00Z","eventId":"e"}""", "tracking-recorded"),
        })
        {
            var answers = await AtOnce(20, _ => Send($"shipments/{shipment}/{verb}", body));
            Assert.All(answers, a => Assert.True(a.Status == 200, a.ToString()));
            Assert.Equal(200, (await Send($"shipments/{shipment}/{verb}", body)).Status);
            Assert.Equal(1, await Count(shipment, $"shipment.{type}.v1"));
        }
        await OmsApp.Until(() => Read(order), o => (string?)o["status"] == "delivered");
        await _app.CountEvents();
        Assert.Equal((1, 1), (await Count(order, "order.units-shipped.v1"), await Count(order, "order.units-delivered.v1")));
    }

    [Fact]
    public async Task Of_many_cancellations_at_once_no_unit_is_cancelled_twice()
    {
        var before = await Available();
        var (order, _) = await Released(5);
        var answers = await AtOnce(12, i => Send(
            $"orders/{order}/cancel", """{"reason":"x","lines":[{"lineId":1,"quantity":1}]}""", $"c-{order}-{i}"));
        Assert.Equal(5, answers.Count(a => a.Status == 200));
        Assert.All(answers.Where(a => a.Status != 200), a => Assert.Equal((409, "order_not_cancellable"), (a.Status, a.Code)));
        Assert.Equal("cancelled", (string?)(await Read(order))["status"]);
        await _app.CountEvents();
        Assert.Equal(before, await Available());

        async Task<int> Available() => (int)(await _app.Api.Get("/api/v1/stock/LON/A")).Json["available"]!;
    }

    [Fact]
    public async Task A_key_that_was_used_with_another_body_is_refused_on_shipments_too()
    {
        var (_, shipment) = await Released(2);
        const string pick = """{"lines":[{"sku":"A","quantity":2}]}""";
        var key = Api.NewKey();
        Assert.Equal(200, (await Send($"shipments/{shipment}/pick", pick, key)).Status);
        Assert.Equal(200, (await Send($"shipments/{shipment}/pick", pick, key)).Status);
        await Refused($"shipments/{shipment}/pack",
            """{"packages":[{"weightGrams":9,"lines":[{"sku":"A","quantity":2}]}]}""", 422, "idempotency_key_reused", key: key);
        await Refused($"shipments/{shipment}/pick", pick, 400, "invalid_idempotency_key", key: new string('k', 256));
    }

    [Fact]
    public async Task Who_may_not_see_an_order_changes_nothing_of_it()
    {
        var (order, shipment) = await Released(2);
        var stranger = await _app.NewCaller(["*"], ["MAN"]);
        var before = await _app.CountEvents();
        foreach (var (path, body) in new[]
        {
            ($"orders/{order}/cancel", """{"reason":"x"}"""),
            ($"orders/{order}/payments", """{"status":"failed","amount":1,"reference":"x"}"""),
            ($"shipments/{shipment}/pick", """{"lines":[{"sku":"A","quantity":2}]}"""),
            ($"shipments/{shipment}/ship", """{"carrier":"c","service":"s"}"""),
        })
            Refused(404, "not_found", await stranger.Send(HttpMethod.Post, $"/api/v1/{path}", body));
        Assert.Equal(before, await _app.CountEvents());
    }

    async Task Refused(string path, string body, int status, string code, string? member = null, string? key = null)
    {
        var before = await _app.CountEvents();
        var answer = await Send(path, body, key);
        Refused(status, code, answer);
        if (member is not null) Assert.True(answer.Json["errors"]?[member] is not null, answer.ToString());
        Assert.Equal(before, await _app.CountEvents());
    }

    static void Refused(int status, string code, Answer answer)
    {
        Assert.True((status, code) == (answer.Status, answer.Code), answer.ToString());
        Assert.Equal("application/problem+json", answer.Http.Content.Headers.ContentType!.ToString());
    }

    Task<Answer> Send(string path, string body, string? key = null) =>
        _app.Api.Send(HttpMethod.Post, $"/api/v1/{path}", body, key);

    static Task<Answer[]> AtOnce(int times, Func<int, Task<Answer>> send) => Task.WhenAll(Enumerable.Range(0, times).Select(send));

    Task<long> Count(string stream, string type) =>
        _app.Database.Ask<long>($"select count(*) from oms.event where stream = '{stream}' and type = '{type}'");

    async Task<JsonNode> Read(string order) => (await _app.Api.Get($"/api/v1/orders/{order}")).Json;

    async Task Fulfil(string shipment, int units)
    {
        foreach (var (verb, body) in new[]
        {
            ("pick", $$"""{"lines":[{"sku":"A","quantity":{{units}}}]}"""),
            ("pack", $$"""{"packages":[{"weightGrams":9,"lines":[{"sku":"A","quantity":{{units}}}]}]}"""),
            ("ship", """{"carrier":"c","service":"s"}"""),
        })
            Assert.Equal(200, (await Send($"shipments/{shipment}/{verb}", body)).Status);
    }

    async Task<(string Order, string Shipment)> Released(int units)
    {
        var order = await _app.Released(await _app.Api.Place(Api.Order(("A", units))));
        return (order.Id(), order["shipments"]![0]!.Id());
    }

    static string ManyOf(string line) => string.Join(',', Enumerable.Repeat(line, 10_001));
}
