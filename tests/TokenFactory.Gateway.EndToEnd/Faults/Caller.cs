using System.Text.Json.Nodes;
using TokenFactory.TestKit.Data;

namespace TokenFactory.Gateway.EndToEnd.Faults;

/// <summary>What to ask, and when to hang up.</summary>
internal sealed record Plan(string Path, string Model, string Prompt, bool Stream, bool AsksUsage)
{
    /// <summary>The most tokens the answer may have; null is as many as it likes.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>Hang up so long after sending; null is never.</summary>
    public TimeSpan? HangUpAfter { get; init; }

    /// <summary>Hang up after so many lines of the answer; null is never.</summary>
    public int? HangUpAtLine { get; init; }

    /// <summary>A chat, two in three streamed, a third of all hung up on: before the head, or in the middle.</summary>
    public static Plan Chat(Random random, string model, int mostWords = 40)
    {
        var stream = random.Next(3) > 0;
        var plan = new Plan("/v1/chat/completions", model, Some.Words(random.Next(2, mostWords)), stream, random.Next(2) == 0);
        return random.Next(6) switch
        {
            0 => plan with { HangUpAfter = TimeSpan.FromMilliseconds(random.Next(0, 60)) },
            1 => plan with { HangUpAtLine = random.Next(0, 40) },
            _ => plan,
        };
    }

    public byte[] Body() => Path switch
    {
        "/v1/completions" => The.CompletionRequest(Model, Prompt, Stream, AsksUsage),
        "/v1/embeddings" => The.EmbeddingRequest(Model, Prompt),
        _ => The.ChatRequest(Model, Prompt, Stream, AsksUsage, MaxTokens),
    };
}

/// <summary>Makes one call and writes down what it saw of the answer, however the call ended.</summary>
internal static class Caller
{
    public static async Task<Call> MakeAsync(HttpClient client, Plan plan)
    {
        var call = new Call { Model = plan.Model, Prompt = plan.Prompt, MayHearUsage = plan.AsksUsage || !plan.Stream };
        using var hangUp = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        if (plan.HangUpAfter is { } after)
        {
            hangUp.CancelAfter(after);
        }

        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, plan.Path) { Content = new ByteArrayContent(plan.Body()) };
            request.Content.Headers.ContentType = new("application/json");
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, hangUp.Token);
            call.Status = (int)response.StatusCode;
            call.Id = response.Headers.TryGetValues("x-request-id", out var ids) ? Guid.Parse(ids.Single()) : null;
            call.MayComeAgain = response.Headers.RetryAfter is not null;
            await ReadAsync(response, call, plan, hangUp.Token);
        }
        catch (Exception cut) when (cut is HttpRequestException or IOException or OperationCanceledException)
        {
            // The ledger's business is what arrived before it.
            call.HungUp |= hangUp.IsCancellationRequested;
        }

        return call;
    }

    private static async Task ReadAsync(HttpResponseMessage response, Call call, Plan plan, CancellationToken hangUp)
    {
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(hangUp));
        if (response.Content.Headers.ContentType?.MediaType != "text/event-stream")
        {
            var body = JsonNode.Parse(await reader.ReadToEndAsync(hangUp))!;
            Read(call, body);
            call.Whole = call.Status == 200;
            return;
        }

        for (var line = 0; await reader.ReadLineAsync(hangUp) is { } text; line++)
        {
            if (line == plan.HangUpAtLine)
            {
                call.HungUp = true;
                return;
            }

            if (text == "data: [DONE]")
            {
                call.Whole = true;
            }
            else if (text.StartsWith("data: ", StringComparison.Ordinal))
            {
                Read(call, JsonNode.Parse(text["data: ".Length..])!);
            }
        }
    }

    private static void Read(Call call, JsonNode chunk)
    {
        call.ErrorCode = chunk["error"]?["code"]?.GetValue<string>() ?? call.ErrorCode;
        foreach (var choice in chunk["choices"]?.AsArray() ?? [])
        {
            call.Text += (choice!["delta"]?["content"] ?? choice["message"]?["content"] ?? choice["text"])?.GetValue<string>();
        }

        if (chunk["usage"] is JsonObject usage)
        {
            call.SawUsageChunk = true;
            call.ToldInput = usage["prompt_tokens"]!.GetValue<long>();
            call.ToldOutput = usage["completion_tokens"]?.GetValue<long>() ?? 0;
        }
    }
}
