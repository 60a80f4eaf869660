using OrleansOms.Contracts;
using OrleansOms.Contracts.Catalogue;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Catalogue;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;
using OrleansOms.Host.Catalogue;

namespace OrleansOms.Host.Demo;

/// <summary>A small company to look at: three warehouses, some thirty products, their opening stock, and its customers.</summary>
static class DemoCompany
{
    static readonly Caller Owner = new("demo", "operator:demo");

    public static readonly (string Code, WarehouseDetails Details)[] Warehouses =
    [
        ("LON", Place("London", "12 Dock Road", "London", "E16 1AA", "GB", 51.5081, 0.0294)),
        ("MAN", Place("Manchester", "4 Canal Street", "Manchester", "M17 1PG", "GB", 53.4690, -2.3170)),
        ("RTM", Place("Rotterdam", "Waalhaven 31", "Rotterdam", "3089 JH", "NL", 51.8850, 4.4310)),
    ];

    public static readonly (string Sku, string Name, int Grams, decimal Price)[] Products =
    [
        ("TEA-ASSAM", "Assam loose leaf tea, 250 g", 280, 7.50m), ("TEA-EARL", "Earl Grey, 250 g", 280, 7.80m),
        ("TEA-GREEN", "Sencha green tea, 100 g", 130, 9.20m), ("TEA-MINT", "Peppermint, 20 bags", 60, 3.40m),
        ("POT-1L", "Stoneware teapot, 1 litre", 980, 28.00m), ("POT-500", "Glass teapot, 0.5 litre", 430, 22.00m),
        ("CUP-BLUE", "Cup, blue glaze", 240, 9.00m), ("CUP-SAND", "Cup, sand glaze", 240, 9.00m),
        ("CUP-SET4", "Four cups, mixed glaze", 1020, 32.00m), ("SPOON-T", "Tea measure, brass", 45, 6.50m),
        ("STRAIN-S", "Strainer, fine mesh", 50, 5.20m), ("TIN-250", "Tea tin, 250 g", 150, 8.40m),
        ("KETTLE-G", "Gooseneck kettle", 1450, 64.00m), ("SCALE-01", "Kitchen scale, 0.1 g", 390, 24.50m),
        ("TRAY-OAK", "Serving tray, oak", 1150, 36.00m), ("CLOTH-L", "Linen tea towel", 110, 11.00m),
        ("HONEY-A", "Acacia honey, 350 g", 520, 8.90m), ("HONEY-H", "Heather honey, 350 g", 520, 9.90m),
        ("BISC-BTR", "Butter biscuits, 200 g", 240, 4.80m), ("BISC-OAT", "Oat biscuits, 200 g", 240, 4.60m),
        ("JAM-DAM", "Damson jam, 230 g", 410, 5.60m), ("JAM-RASP", "Raspberry jam, 230 g", 410, 5.60m),
        ("CANDLE-B", "Beeswax candle", 210, 12.00m), ("BOOK-TEA", "The tea book", 760, 25.00m),
        ("GIFT-S", "Gift box, small", 180, 4.00m), ("GIFT-L", "Gift box, large", 320, 6.00m),
        ("CARD-THX", "Card, thank you", 15, 3.00m), ("WHISK-B", "Bamboo whisk", 40, 14.00m),
        ("MATCHA-30", "Matcha, 30 g tin", 70, 19.50m), ("BOWL-M", "Matcha bowl", 410, 26.00m),
    ];

    public static readonly (string Name, string Street, string City, string PostalCode, string Country)[] People =
    [
        ("Amara Okafor", "8 Mill Lane", "Brighton", "BN1 4GH", "GB"), ("Tom Hughes", "21 Castle Road", "Cardiff", "CF10 1BH", "GB"),
        ("Isla Grant", "5 Harbour View", "Aberdeen", "AB11 5DP", "GB"), ("Lotte de Vries", "Kerkstraat 14", "Utrecht", "3511 LX", "NL"),
        ("Jonas Weber", "Lindenweg 3", "Hamburg", "20095", "DE"), ("Claire Martin", "9 rue des Lilas", "Lille", "59000", "FR"),
        ("Niamh Byrne", "2 Quay Street", "Galway", "H91 W6", "IE"), ("Priya Shah", "77 Park Avenue", "Leeds", "LS8 2JJ", "GB"),
    ];

    /// <summary>Creates what is not there. Running it again changes nothing, also of what people have changed since.</summary>
    /// <exception cref="Contracts.Log.LogUnavailableException">What is there cannot be looked up now.</exception>
    public static async Task Load(IGrainFactory grains, KnownThings known)
    {
        foreach (var (code, details) in Warehouses)
            if (await known.FindWarehouse(code) is null)
                await grains.GetGrain<IWarehouseGrain>(Keys.Warehouse + code).Put(details, Owner);
        for (var i = 0; i < Products.Length; i++)
            if (!await known.IsProduct(Products[i].Sku))
                await grains.GetGrain<IProductGrain>(Keys.Product + Products[i].Sku)
                    .Put(new ProductDetails(Products[i].Name, Products[i].Grams, Barcode(i)), Owner);
        for (var w = 0; w < Warehouses.Length; w++)
            await Receive(grains, Warehouses[w].Code, "opening stock", Opening(w));
    }

    /// <summary>A receipt under its reference; the same one again adds nothing.</summary>
    public static Task Receive(
        IGrainFactory grains, string warehouse, string reference, IReadOnlyList<MovementLine> lines) =>
        grains.GetGrain<IMovementGrain>(Keys.FromIdempotencyKey(Keys.Movement, "demo", $"{warehouse}/{reference}"))
            .RunToEnd(new MoveStock(MovementKind.Receipt, warehouse, reference, lines, "demo"), Owner);

    /// <summary>No warehouse has everything, so that orders split now and then and some must wait.</summary>
    static MovementLine[] Opening(int warehouse) =>
        [.. Products.Select((p, i) => (p.Sku, Units: (i + warehouse) % 5 == 0 ? 0 : 20 + i * 7 % 60))
            .Where(x => x.Units > 0).Select(x => new MovementLine(x.Sku, x.Units))];

    /// <summary>A GTIN-13 with a prefix that GS1 keeps for use inside a company (200–299).</summary>
    static string Barcode(int i)
    {
        var digits = $"2{i + 1:D11}";
        var sum = digits.Select((c, at) => (c - '0') * (at % 2 == 0 ? 1 : 3)).Sum();
        return digits + (10 - sum % 10) % 10;
    }

    static WarehouseDetails Place(
        string name, string line1, string city, string postalCode, string country, double latitude, double longitude) =>
        new(name, new Address(name, line1, null, city, null, postalCode, country), new GeoPoint(latitude, longitude), true);
}
