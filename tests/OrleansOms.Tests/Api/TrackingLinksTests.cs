using System.Buffers.Text;
using OrleansOms.Domain.Shared;
using OrleansOms.Host.Security;
using OrleansOms.Postgres.Security;

namespace OrleansOms.Tests.ApiTests;

/// <summary>A customer's link opens one order, for a time.</summary>
public sealed class TrackingLinksTests
{
    static readonly DateTimeOffset Placed = new(2010, 12, 1, 8, 26, 0, TimeSpan.Zero);
    static readonly string Order = Keys.FromIdempotencyKey(Keys.Order, "c", "k");
    static readonly string Other = Keys.FromIdempotencyKey(Keys.Order, "c", "l");
    static readonly TrackingLinks Links = Make([.. Enumerable.Range(0, 32).Select(i => (byte)i)]);

    static TrackingLinks Make(byte[] key) => new(() => new RenewedSecret(key, []), TimeSpan.FromDays(400), "https://shop.example/", () => "");

    [Fact]
    public void A_token_opens_its_order_and_is_always_the_same()
    {
        var token = Links.TokenFor(Order, Placed);
        Assert.Equal(token, Links.TokenFor(Order, Placed));
        Assert.Matches("^[A-Za-z0-9_-]{48}$", token);
        Assert.True(Links.TryRead(token, Placed, out var id));
        Assert.Equal(Order, id);
        Assert.NotEqual(token, Links.TokenFor(Other, Placed));
    }

    [Fact]
    public void A_token_ends_after_its_time()
    {
        var token = Links.TokenFor(Order, Placed);
        Assert.True(Links.TryRead(token, Placed.AddDays(400), out _));
        Assert.False(Links.TryRead(token, Placed.AddDays(402), out _));
    }

    [Fact]
    public void Every_change_of_a_byte_is_noticed()
    {
        var bytes = Base64Url.DecodeFromChars(Links.TokenFor(Order, Placed));
        for (var i = 0; i < bytes.Length; i++)
            for (var bit = 0; bit < 8; bit++)
            {
                var forged = bytes.ToArray();
                forged[i] ^= (byte)(1 << bit);
                Assert.False(Links.TryRead(Base64Url.EncodeToString(forged), Placed, out _));
            }
    }

    [Fact]
    public void The_signature_of_one_order_does_not_open_another()
    {
        var own = Base64Url.DecodeFromChars(Links.TokenFor(Order, Placed));
        var other = Base64Url.DecodeFromChars(Links.TokenFor(Other, Placed));
        byte[] mixed = [.. other[..20], .. own[20..]];
        Assert.False(Links.TryRead(Base64Url.EncodeToString(mixed), Placed, out _));
    }

    [Fact]
    public void Another_cluster_s_token_opens_nothing() =>
        Assert.False(Links.TryRead(Make(new byte[32]).TokenFor(Order, Placed), Placed, out _));

    [Theory]
    [InlineData(null), InlineData(""), InlineData("x"), InlineData("ord-00000000000000000000000000")]
    [InlineData("!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!"), InlineData("éééééééééééééééééééééééééééééééééééééééééééééééé")]
    public void What_is_no_token_opens_nothing(string? token) => Assert.False(Links.TryRead(token, Placed, out _));
}
