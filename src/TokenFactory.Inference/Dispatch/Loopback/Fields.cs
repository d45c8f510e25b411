using System.Net;
using System.Text.Json;

namespace TokenFactory.Inference.Dispatch.Loopback;

/// <summary>
/// Reads a request's members by type. The first one that is wrong is kept as the fault and the reading goes on with
/// harmless values, so that readers tell the format in order and ask once, at the end, whether it was right.
/// </summary>
internal sealed class Fields(JsonElement body)
{
    public Fault? Fault { get; private set; }

    public void Refuse(string param, string message) =>
        Fault ??= new Fault(HttpStatusCode.BadRequest, message, param, null);

    /// <summary>False for a member that is absent or null: OpenAI takes both as not given.</summary>
    public bool TryGet(string name, out JsonElement value) =>
        body.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;

    public string Text(string name)
    {
        if (TryGet(name, out var value))
        {
            return Text(value, name);
        }

        Refuse(name, $"You must provide a '{name}' parameter.");
        return "";
    }

    public string Text(JsonElement value, string param)
    {
        if (value.ValueKind == JsonValueKind.String)
        {
            try
            {
                return value.GetString()!;
            }
            catch (InvalidOperationException)
            {
                // An escape that is half of a surrogate pair: JSON's grammar allows it, UTF-8 cannot say it.
                Refuse(param, $"Invalid text in '{param}'.");
                return "";
            }
        }

        Refuse(param, $"Invalid type for '{param}': expected a string.");
        return "";
    }

    public bool Flag(string name)
    {
        if (!TryGet(name, out var value))
        {
            return false;
        }

        if (value.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
        {
            Refuse(name, $"Invalid type for '{name}': expected a boolean.");
        }

        return value.ValueKind == JsonValueKind.True;
    }

    public int? Whole(string name, int least, int most)
    {
        if (!TryGet(name, out var value))
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= least)
        {
            if (number <= most)
            {
                return (int)number;
            }

            Refuse(name, $"Invalid '{name}': the maximum is {most}.");
            return most;
        }

        Refuse(name, $"Invalid '{name}': expected a whole number of at least {least}.");
        return null;
    }

    /// <summary>A string, or an array of strings.</summary>
    public string[] TextOrTexts(string name, int most)
    {
        if (!TryGet(name, out var value))
        {
            return [];
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            return [Text(value, name)];
        }

        if (value.GetArrayLength() > most)
        {
            Refuse(name, $"Invalid '{name}': at most {most} are allowed.");
            return [];
        }

        return [.. value.EnumerateArray().Select(item => Text(item, name))];
    }
}
