using System.Globalization;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Administration.Configuration.Reading.Sections;

/// <summary><c>usd_per_million</c> → an exact <see cref="Price"/>, named by its content so that billing can rate again later.</summary>
internal static class PriceSection
{
    // Above it a price is a typing mistake (USD per million tokens), and costs would leave 64 bits.
    private const long MaxNanoUsd = 1_000_000_000_000_000;

    public static Price Read(Field field, string deployment, Operations operations)
    {
        if (field.Section() is not { } section)
        {
            return Price.Free;
        }

        var input = Amount(section["input"].Required("USD per million input tokens")) ?? 0;
        var cached = Amount(section["cached_input"]) ?? input;
        var write = Amount(section["cache_write"]) ?? input;

        // Only embeddings and moderations write no output; anywhere else a forgotten output price would give the dearest tokens away.
        var outputField = section["output"];
        var output = Amount(!operations.WritesText ? outputField : outputField.Required("USD per million output tokens")) ?? 0;
        section.RefuseUnknownKeys();

        var id = Revisions.Of([deployment, .. new[] { input, cached, write, output }.Select(n => n.ToString(CultureInfo.InvariantCulture))]);
        return new Price(id, input, cached, write, output);
    }

    private static long? Amount(Field field)
    {
        var amount = field.NanoUsd();
        if (amount > MaxNanoUsd)
        {
            field.Mistake($"write at most {Quantity.Usd(MaxNanoUsd)} USD per million tokens");
        }

        return amount;
    }
}
