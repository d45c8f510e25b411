using System.Text;
using System.Text.Json;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Administration.Configuration.Reading.Sections;

/// <summary>Where exactly a deployment runs: what its <c>zone</c>, <c>cluster</c>, <c>node_pool</c> and <c>ownership</c> say, as the evidence tells it.</summary>
internal static class SiteSection
{
    /// <returns>Null when it says nothing.</returns>
    public static string? Read(Section section, Provider? provider)
    {
        var ownership = section["ownership"].Choice(("own", Ownership.Own), ("vendor", Ownership.Vendor), ("customer", Ownership.Customer));
        if (provider is { IsCustomerOwned: true })
        {
            if (ownership is not (null or Ownership.Customer))
            {
                section["ownership"].Mistake("its provider is a tenant's own: customer, or leave it out");
            }

            ownership = Ownership.Customer;
        }

        (string Name, string? Value)[] members =
        [
            ("zone", section["zone"].Name()),
            ("cluster", section["cluster"].Name()),
            ("node_pool", section["node_pool"].Name()),
            ("ownership", ownership?.ToString().ToLowerInvariant()),
        ];
        if (Array.TrueForAll(members, static member => member.Value is null))
        {
            return null;
        }

        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var (name, value) in members)
            {
                if (value is not null)
                {
                    json.WriteString(name, value);
                }
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    /// <summary>Whose machines they are.</summary>
    private enum Ownership
    {
        Own,
        Vendor,
        Customer,
    }
}
