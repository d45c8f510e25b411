using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Dispatch.Replicas;

/// <summary>
/// What of a prompt an engine is likely to have in its cache, as one number: the system's words and the first message of the user, as they were sent,
/// at most <see cref="BlockBytes"/> of each; they stay the same from turn to turn of a conversation. Of a response, its instructions and the first item of the
/// user; of a completion, the prompt's first bytes. The tenant is in
/// it, so that no tenant is steered to where another's prompt lies (P9).
/// </summary>
internal static class PromptPrefix
{
    /// <summary>About 256 tokens: what beginnings have in common that are worth a cache.</summary>
    public const int BlockBytes = 1024;

    private const int Blocks = 2;
    private const int MostTenantBytes = 256;

    /// <returns>Null where there is no prompt that an engine caches.</returns>
    public static ulong? Of(Ask ask, string tenant)
    {
        // What a backend keeps of a conversation is not in the request, so its turns begin with nothing in common.
        if (!ask.Operation.WritesText || ask.Conversation is not null)
        {
            return null;
        }

        Span<byte> kept = stackalloc byte[MostTenantBytes + 1 + (Blocks * BlockBytes)];
        var named = Encoding.UTF8.TryGetBytes(tenant, kept[..MostTenantBytes], out var length) ? length : throw new InvalidOperationException("a tenant's name is at most a few dozen characters");
        kept[named] = 0;
        var prompt = new Prompt(kept[(named + 1)..]);
        try
        {
            Read(ask, ref prompt);
        }
        catch (JsonException)
        {
            // Intake judged the body; what this plainer reader cannot follow has no prefix.
            return null;
        }

        if (prompt.Length == 0)
        {
            return null;
        }

        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(kept[..(named + 1 + prompt.Length)], digest);
        return BinaryPrimitives.ReadUInt64BigEndian(digest);
    }

    private static void Read(Ask ask, ref Prompt prompt)
    {
        var body = ask.Body.Span;
        var isResponse = ask.Operation == Operations.Responses;
        var json = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = 256 });
        json.Read();
        var wantsSystem = isResponse || ask.Dialect == Dialect.Anthropic;
        var isOver = false;

        // No further than it must: what follows the beginning is the longest part of a prompt.
        while (!prompt.IsFull && !(isOver && !wantsSystem) && json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var isMessages = isResponse ? json.ValueTextEquals("input"u8) : json.ValueTextEquals("messages"u8);
            var isText = isResponse ? json.ValueTextEquals("instructions"u8) : json.ValueTextEquals("system"u8) || json.ValueTextEquals("prompt"u8);
            json.Read();
            var start = (int)json.TokenStartIndex;
            if (isMessages && json.TokenType == JsonTokenType.StartArray)
            {
                isOver = Messages(body, ref json, ref prompt, readsOn: wantsSystem);
                continue;
            }

            json.Skip();
            if (isText || isMessages)
            {
                (isOver, wantsSystem) = (isOver || isMessages, wantsSystem && isMessages);
                prompt.Keep(body[start..(int)json.BytesConsumed]);
            }
        }
    }

    /// <summary>Up to the user's first message: what comes after it changes from turn to turn.</summary>
    /// <param name="readsOn">Whether the array must be read to its end, because something is wanted that may follow it.</param>
    /// <returns>Whether the beginning is known.</returns>
    private static bool Messages(ReadOnlySpan<byte> body, ref Utf8JsonReader json, ref Prompt prompt, bool readsOn)
    {
        var isOver = false;
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (isOver || json.TokenType != JsonTokenType.StartObject)
            {
                json.Skip();
                continue;
            }

            var start = (int)json.TokenStartIndex;
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var isRole = json.ValueTextEquals("role"u8);
                json.Read();
                isOver |= isRole && json.TokenType == JsonTokenType.String && json.ValueTextEquals("user"u8);
                json.Skip();
            }

            prompt.Keep(body[start..(int)json.BytesConsumed]);
            isOver |= prompt.IsFull;
            if (isOver && !readsOn)
            {
                return true;
            }
        }

        return isOver;
    }

    private ref struct Prompt(Span<byte> kept)
    {
        private readonly Span<byte> _kept = kept;
        private int _blocks;

        public int Length { get; private set; }

        public readonly bool IsFull => _blocks == Blocks;

        /// <summary>The first bytes of the first few parts.</summary>
        public void Keep(ReadOnlySpan<byte> part)
        {
            if (IsFull)
            {
                return;
            }

            _blocks++;
            part = part[..Math.Min(part.Length, BlockBytes)];
            part.CopyTo(_kept[Length..]);
            Length += part.Length;
        }
    }
}
