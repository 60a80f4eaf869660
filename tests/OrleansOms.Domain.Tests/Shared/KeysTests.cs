using OrleansOms.Domain.Shared;

namespace OrleansOms.Domain.Tests.Shared;

public sealed class KeysTests
{
    [Theory]
    [InlineData("LON", "85123A")]
    [InlineData("LON-2", "x/y")]
    [InlineData("LON", "BANK CHARGES")]
    public void A_stock_key_splits_into_what_it_was_made_of(string warehouse, string sku) =>
        Assert.Equal((warehouse, sku), Keys.ReadStock(Keys.OfStock(warehouse, sku)));

    [Fact]
    public void The_same_caller_and_key_reach_the_same_order_and_no_other()
    {
        var id = Keys.FromIdempotencyKey(Keys.Order, "key:1", "k");
        Assert.True(Keys.IsId(Keys.Order, id));
        Assert.Equal(id, Keys.FromIdempotencyKey(Keys.Order, "key:1", "k"));
        Assert.NotEqual(id, Keys.FromIdempotencyKey(Keys.Order, "key:2", "k"));
        Assert.NotEqual(id, Keys.FromIdempotencyKey(Keys.Order, "key:1", "K"));
    }

    [Fact]
    public void A_shipment_names_its_order()
    {
        var order = Keys.FromIdempotencyKey(Keys.Order, "key:1", "k");
        var shipment = Keys.OfShipment(order, 12);
        Assert.True(Keys.IsShipmentId(shipment));
        Assert.Equal(order, Keys.OrderOfShipment(shipment));
    }

    [Theory]
    [InlineData(null), InlineData(""), InlineData("shp-"), InlineData("shp-1"), InlineData("ord-00000000000000000000000001-1")]
    [InlineData("shp-0000000000000000000000000I-1"), InlineData("shp-00000000000000000000000001-x")]
    public void Other_texts_are_no_shipment_ids(string? text) => Assert.False(Keys.IsShipmentId(text));

    [Theory]
    [InlineData("85123A", true), InlineData("BANK CHARGES", true), InlineData("x/y", true), InlineData("é😀", true)]
    [InlineData("", false), InlineData(" a", false), InlineData("a\n", false), InlineData("a\0b", false)]
    [InlineData(null, false)]
    public void Skus_are_printable_text(string? sku, bool isSku) => Assert.Equal(isSku, Text.IsSku(sku));

    [Fact]
    public void Half_a_character_is_no_text() => Assert.False(Text.IsSku(((char)0xD800).ToString()));
}
