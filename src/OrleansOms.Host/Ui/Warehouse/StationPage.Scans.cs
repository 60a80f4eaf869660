using System.Globalization;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Host.Shipments;
using OrleansOms.Host.Ui.Shared;

namespace OrleansOms.Host.Ui.Warehouse;

// What a scan, a typed command or a button does. Where products are taken, one comes before a command of the same letters.
public sealed partial class StationPage
{
    /// <summary>Commands of the steps before the last: scanned once more there, they are no tracking number.</summary>
    static readonly string[] EarlierCommands = ["ALL", "SHORT", "UNDO", "YES", "NO", "PACK", "BOX", "NEXT"];

    const string ScanTheLabel = "Scan the tracking number on the carrier's label.";

    private protected override async Task<Said?> Take(string code)
    {
        if (_shipment is null) return null;
        if (_confirm is not null) return await TakeAnswer(code);
        return Now switch
        {
            Step.Pick => await TakeAtPick(code),
            Step.Pack => await TakeAtPack(code),
            Step.Ship => await TakeAtShip(code),
            _ => Is(code, "NEXT") ? OpenNext() : await OpenShipment(code) ?? Said.Wrong($"{code} is no shipment or order that is known here."),
        };
    }

    static bool Is(string code, string command) => code.Equals(command, StringComparison.OrdinalIgnoreCase);

    Said OpenNext()
    {
        if (Next is not { } next) return Said.Wrong("Nothing more is to be picked.");
        Go(UriOf(next.Id));
        return Said.Right($"Order {next.OrderNumber}: {Words(next)}.");
    }

    async Task<Said?> TakeAnswer(string code) =>
        Is(code, "YES") ? await Answer(true)
        : Is(code, "NO") ? await Answer(false)
        : Said.Wrong("Answer YES or NO first.");

    async Task<Said?> Answer(bool isYes)
    {
        var question = _confirm;
        _confirm = null;
        return isYes && question is not null ? await question.Do() : Said.Right("Nothing was changed.");
    }

    async Task<Said?> TakeAtPick(string code)
    {
        if (PartOfShipment(code) is { } sku) return await CountOne(sku);
        if (Is(code, "SHORT")) return AskShort();
        if (Is(code, "ALL")) return await CountAll();
        if (Is(code, "UNDO")) return CountAgain();
        return await OpenShipment(code) ?? NotPart(code);
    }

    string? PartOfShipment(string code)
    {
        var sku = _shipment!.Lines.Any(l => l.Sku == code) ? code : Catalogue.FindByBarcode(code);
        return sku is not null && _shipment.Lines.Any(l => l.Sku == sku) ? sku : null;
    }

    Said NotPart(string code)
    {
        if (SkuOf(code) is { } known) return Said.Wrong($"{known} is not part of this shipment.");
        var meant = _shipment!.Lines.FirstOrDefault(l => l.Sku.Equals(code, StringComparison.OrdinalIgnoreCase))?.Sku;
        return Said.Wrong(meant is null
            ? $"{code} is no product that is known here."
            : $"{code} is not part of this shipment. It asks for {meant}: capitals matter.");
    }

    async Task<Said?> CountOne(string sku)
    {
        var task = _counts.Tasks(_shipment!).First(t => t.Sku == sku);
        if (task.Reported is { } reported) return Said.Wrong($"Already {reported} of {reported}. Put this one of {sku} back.");
        _lastSku = sku;
        // All were counted before and could not be saved: the scan tries that again.
        if (task.Counted < task.Wanted) _counts.Add(sku);
        var counted = Math.Min(task.Wanted, task.Counted + 1);
        return counted == task.Wanted ? await Report(sku, counted) : Said.Right($"{sku}: {counted} of {task.Wanted}");
    }

    async Task<Said?> CountAll()
    {
        if (CurrentTask() is not { } task) return null;
        _counts.Add(task.Sku, task.Wanted - task.Counted);
        return await Report(task.Sku, task.Wanted);
    }

    Said? CountAgain()
    {
        if (CurrentTask() is not { } task) return null;
        _counts.Forget(task.Sku);
        return Said.Right($"{task.Sku}: 0 of {task.Wanted}. Count again.");
    }

    Said? AskShort()
    {
        if (CurrentTask() is not { } task) return null;
        var missing = task.Wanted - task.Counted;
        if (missing == 0) return Said.Wrong($"None of {task.Sku} is missing: {task.Counted} of {task.Wanted} are counted.");
        _confirm = new Question(
            (missing == task.Wanted
                ? $"None of {task.Sku} is on the shelf? "
                : $"{missing} of {task.Wanted} of {task.Sku} {(missing == 1 ? "is" : "are")} not on the shelf? ")
            + $"The stock of {Code} is corrected by "
            + $"{missing}, and the order gets {(missing == 1 ? "it" : "them")} from elsewhere or waits.",
            $"Yes, {missing} {(missing == 1 ? "is" : "are")} missing", () => Report(task.Sku, task.Counted));
        return null;
    }

    Task<Said?> Report(string sku, int quantity) =>
        Send($"pick {sku} {quantity}", new PickUnits([new SkuUnits(sku, quantity)]), after =>
        {
            _counts.Forget(sku);
            return Now switch
            {
                Step.Pick => Said.Done($"{sku}: {quantity} picked. Go on with {CurrentTask()?.Sku}."),
                Step.Pack => Said.Done("Everything is picked. Now pack it."),
                _ => Said.Done("Nothing of this shipment was there. It is cancelled and its units are looked for elsewhere."),
            };
        });

    async Task<Said?> TakeAtPack(string code)
    {
        if (PartOfShipment(code) is { } sku)
            return _boxes.All.Count == 1 ? Said.Right($"{sku} belongs into this box.")
                : _boxes.Move(sku, WeightOf) ? Said.Right($"{sku} is in box {_boxes.All.Count}.")
                : Said.Wrong($"Every unit of {sku} is in box {_boxes.All.Count} already.");
        if (Is(code, "PACK")) return await Pack();
        if (Is(code, "BOX")) return AnotherBox();
        if (ReadWeight(code) is { } grams)
        {
            var box = _boxes.All.FirstOrDefault(b => b.Units.Count > 0 && b.WeightGrams is null) ?? _boxes.Current;
            box.WeightGrams = grams;
            return Said.Right($"The box weighs {grams} g.");
        }
        return await OpenShipment(code) ?? NotPart(code);
    }

    /// <summary>"850g" or "1.2kg", as a scale types it.</summary>
    static int? ReadWeight(string code)
    {
        var text = code.ToUpperInvariant();
        var factor = text.EndsWith("KG", StringComparison.Ordinal) ? 1000 : text.EndsWith('G') ? 1 : 0;
        return factor != 0
            && decimal.TryParse(text.TrimEnd('G', 'K'), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var n)
            && n * factor is >= 1 and <= 10_000_000 ? (int)(n * factor) : null;
    }

    void Weigh(Box box, object? value) =>
        box.WeightGrams = int.TryParse(value?.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n > 0 ? n : null;

    Said AnotherBox()
    {
        if (_boxes.Current.Units.Count == 0) return Said.Wrong($"Box {_boxes.All.Count} is still empty.");
        _boxes.Another();
        return Said.Right($"Scan what goes into box {_boxes.All.Count}.");
    }

    async Task<Said?> Pack()
    {
        if (_boxes.Packages() is not { } packages)
            return Said.Wrong(_boxes.All.Count == 1 ? "How heavy is the box? Type its weight in grams." : "Type the weight of each box in grams.");
        return await Send("pack", new PackShipment(packages), _ => Said.Done("Packed. Now scan the carrier's label."));
    }

    async Task<Said?> TakeAtShip(string code)
    {
        if (Is(code, "SHIP")) return await Ship();
        if (WhyNoTracking(code) is { } why) return Said.Wrong($"{why} {ScanTheLabel}");
        if (await OpenShipment(code) is { } opened) return opened;
        _tracking = code;
        return Said.Right($"Tracking number {code}. Scan SHIP when the carrier has it.");
    }

    /// <summary>What a scan is instead of a tracking number; null if it may be one, or another shipment.</summary>
    string? WhyNoTracking(string code)
    {
        var sku = SkuOf(code) ?? _shipment!.Lines.FirstOrDefault(l => l.Sku.Equals(code, StringComparison.OrdinalIgnoreCase))?.Sku;
        if (sku is not null) return sku == code ? $"{code} is a product." : $"{code} is the product {sku}.";
        if (ShipmentCodes.Read(code) == Id || code == _shipment!.OrderNumber) return "This is the shipment itself.";
        return EarlierCommands.Any(c => Is(code, c)) || !Text.IsPrintable(code, ShipmentEndpoints.MaxTrackingNumber)
            ? $"{code} is no tracking number." : null;
    }

    async Task<Said?> Ship()
    {
        if (!Text.IsPrintable(_carrier, ShipmentEndpoints.MaxCarrier)) return Said.Wrong("Which carrier takes it?");
        if (!Text.IsPrintable(_service, ShipmentEndpoints.MaxCarrier)) return Said.Wrong("Which service of the carrier?");
        var tracking = string.IsNullOrWhiteSpace(_tracking) ? null : _tracking.Trim();
        // A scanner types into whatever field has the focus.
        if (tracking is not null && WhyNoTracking(tracking) is { } why) return Said.Wrong($"{why} {ScanTheLabel}");
        _keptCarrier = $"{_carrier!.Trim()}\n{_service!.Trim()}";
        return await Send($"ship {_carrier} {_service} {tracking}", new ShipShipment(_carrier.Trim(), _service.Trim(), tracking),
            _ => Said.Done($"Order {_shipment!.OrderNumber} has left with {_carrier}."));
    }
}
