using System.Text;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.ApiTests;

/// <summary>Who calls, and by which name, does not decide where a customer's link leads.</summary>
public sealed class TrackingUrlTests
{
    [Fact]
    public async Task Without_a_public_address_the_link_leads_to_where_the_program_listens_whatever_host_is_called()
    {
        await using var app = await OmsApp.Start(("Oms:PublicUrl", ""));
        var (body, key) = (Api.Order(("A", 1)).ToJsonString(), Api.NewKey());
        var first = await Place("shop.example");
        Assert.StartsWith($"{app.Url}/track/", first.Json["trackingUrl"]!.GetValue<string>());
        Assert.Equal(first.Text, (await Place("other.example:81")).Text);

        // A follower may be working on the order just now; then the retry is told to come again.
        Task<Answer> Place(string host) => OmsApp.Until(() => Send(host), a => a.Code is not "request_in_progress");

        Task<Answer> Send(string host)
        {
            var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/orders")
            {
                Content = new StringContent(body, Encoding.UTF8, "application/json"),
            };
            request.Headers.Host = host;
            request.Headers.Add("Idempotency-Key", key);
            return app.Api.Send(request);
        }
    }
}
