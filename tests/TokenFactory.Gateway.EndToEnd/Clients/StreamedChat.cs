using System.Text;
using OpenAI.Chat;

namespace TokenFactory.Gateway.EndToEnd.Clients;

/// <summary>What the OpenAI client's updates add up to.</summary>
internal sealed class StreamedChat
{
    public string Text { get; private set; } = "";

    public List<(string Name, StringBuilder Arguments)> Calls { get; } = [];

    public ChatFinishReason? Finish { get; private set; }

    public ChatTokenUsage? Usage { get; private set; }

    public static async Task<StreamedChat> ReadAsync(IAsyncEnumerable<StreamingChatCompletionUpdate> updates)
    {
        var streamed = new StreamedChat();
        await foreach (var update in updates)
        {
            streamed.Text += string.Concat(update.ContentUpdate.Select(part => part.Text));
            streamed.Finish = update.FinishReason ?? streamed.Finish;
            streamed.Usage = update.Usage ?? streamed.Usage;
            foreach (var call in update.ToolCallUpdates)
            {
                streamed.Add(call);
            }
        }

        return streamed;
    }

    private void Add(StreamingChatToolCallUpdate call)
    {
        if (call.Index == Calls.Count)
        {
            Calls.Add((call.FunctionName, new StringBuilder()));
        }

        if (call.FunctionArgumentsUpdate is { } arguments && !arguments.ToMemory().IsEmpty)
        {
            Calls[call.Index].Arguments.Append(arguments);
        }
    }
}
