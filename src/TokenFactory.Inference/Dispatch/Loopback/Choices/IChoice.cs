using System.Text.Json;

namespace TokenFactory.Inference.Dispatch.Loopback.Choices;

/// <summary>One of a reply's choices: written whole, or step by step. Each writes the inside of a choice, after its index.</summary>
internal interface IChoice
{
    void Write(Utf8JsonWriter json);

    IEnumerable<Action<Utf8JsonWriter>> Steps();
}
