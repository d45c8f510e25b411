using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Metering.Scanning;

/// <summary>What a value is, by where it stands in an answer: a chat or completions answer of OpenAI's dialect, whose root is <see cref="Root"/>,
/// a message of Anthropic's, whose root is <see cref="Message"/>,
/// or one of OpenAI's Responses, whose root is <see cref="Response"/>.</summary>
internal enum Place : byte
{
    /// <summary>Nothing we read; its whole value is skipped.</summary>
    Other = 0,
    Root,
    Choices,
    Choice,
    Delta,
    Parts,
    Part,
    ToolCalls,
    ToolCall,
    Function,

    /// <summary>Text the model produced.</summary>
    Text,

    /// <summary>Reasoning text. Servers in transition send the same text under two names; the first of a delta counts.</summary>
    Reasoning,
    Index,
    Finish,
    Usage,
    Error,
    Object,

    /// <summary>Part of any chunk's frame: a chunk of nothing but these and usage says nothing else.</summary>
    Frame,

    /// <summary>Frame, and may differ from chunk to chunk.</summary>
    Varying,

    /// <summary>Frame: the model that the answer says it is from.</summary>
    Model,

    /// <summary>Frame: which configuration of the backend answered.</summary>
    Fingerprint,

    /// <summary>The root of Anthropic's message or of an event of its stream.</summary>
    Message,

    /// <summary>The message that a stream begins with.</summary>
    BegunMessage,
    Blocks,
    Block,
    BlockDelta,

    /// <summary>What a tool is called with, as an object: its JSON is text the model produced.</summary>
    Input,

    /// <summary>Usage that knows the input, and not yet the output.</summary>
    InputUsage,

    /// <summary>The root of a response or of an event of its stream.</summary>
    Response,

    /// <summary>The response as an event of its stream tells it: its text was told before, piece by piece.</summary>
    ToldResponse,
    Items,
    Item,
}

internal static class Places
{
    /// <summary>Where an answer of the dialect begins.</summary>
    public static Place RootOf(Dialect dialect) => dialect switch
    {
        Dialect.Anthropic => Place.Message,
        Dialect.Responses => Place.Response,
        _ => Place.Root,
    };

    public static Place Member(Place parent, ReadOnlySpan<byte> key) => parent switch
    {
        Place.Root => InRoot(key),
        Place.Message => InMessage(key),
        Place.BegunMessage => key.SequenceEqual("usage"u8) ? Place.InputUsage : key.SequenceEqual("content"u8) ? Place.Blocks : key.SequenceEqual("model"u8) ? Place.Model : Place.Other,
        Place.Block => InBlock(key),
        Place.BlockDelta => InBlockDelta(key),
        Place.Choice => InChoice(key),
        Place.Delta => InDelta(key),
        Place.Part => key.SequenceEqual("text"u8) || key.SequenceEqual("refusal"u8) ? Place.Text : Place.Other,
        Place.Response => InResponse(key),
        Place.ToldResponse => key.SequenceEqual("usage"u8) ? Place.Usage : Place.Other,
        Place.Item => InItem(key),
        Place.ToolCall => key.SequenceEqual("function"u8) || key.SequenceEqual("custom"u8) ? Place.Function : Place.Other,
        Place.Function => key.SequenceEqual("arguments"u8) || key.SequenceEqual("name"u8) || key.SequenceEqual("input"u8)
            ? Place.Text
            : Place.Other,
        _ => Place.Other,
    };

    /// <summary>What an array's elements are.</summary>
    public static Place Element(Place parent) => parent switch
    {
        Place.Choices => Place.Choice,
        Place.ToolCalls => Place.ToolCall,
        Place.Parts => Place.Part,
        Place.Blocks => Place.Block,
        Place.Items => Place.Item,
        _ => Place.Other,
    };

    /// <summary>What we enter when an object or an array stands at this place; <see cref="Place.Other"/>: nothing.</summary>
    public static Place Enter(Place place, bool isObject) => (place, isObject) switch
    {
        (Place.Choice or Place.Delta or Place.Part or Place.ToolCall or Place.Function, true) => place,
        (Place.BegunMessage or Place.Block or Place.BlockDelta or Place.ToldResponse or Place.Item, true) => place,
        (Place.Choices or Place.ToolCalls or Place.Blocks or Place.Items, false) => place,
        (Place.Text, false) => Place.Parts,
        _ => Place.Other,
    };

    private static Place InRoot(ReadOnlySpan<byte> key) => key.Length switch
    {
        2 when key.SequenceEqual("id"u8) => Place.Varying,
        5 when key.SequenceEqual("model"u8) => Place.Model,
        5 when key.SequenceEqual("usage"u8) => Place.Usage,
        5 when key.SequenceEqual("error"u8) => Place.Error,
        6 when key.SequenceEqual("object"u8) => Place.Object,
        7 when key.SequenceEqual("choices"u8) => Place.Choices,
        7 when key.SequenceEqual("created"u8) => Place.Varying,
        7 when key.SequenceEqual("timings"u8) => Place.Frame,
        11 when key.SequenceEqual("obfuscation"u8) => Place.Varying,
        12 when key.SequenceEqual("service_tier"u8) => Place.Frame,
        18 when key.SequenceEqual("system_fingerprint"u8) => Place.Fingerprint,
        _ => Place.Other,
    };

    private static Place InChoice(ReadOnlySpan<byte> key) => key.Length switch
    {
        4 when key.SequenceEqual("text"u8) => Place.Text,
        5 when key.SequenceEqual("delta"u8) => Place.Delta,
        5 when key.SequenceEqual("index"u8) => Place.Index,
        7 when key.SequenceEqual("message"u8) => Place.Delta,
        13 when key.SequenceEqual("finish_reason"u8) => Place.Finish,
        _ => Place.Other,
    };

    private static Place InDelta(ReadOnlySpan<byte> key) => key.Length switch
    {
        7 when key.SequenceEqual("content"u8) => Place.Text,
        7 when key.SequenceEqual("refusal"u8) => Place.Text,
        9 when key.SequenceEqual("reasoning"u8) => Place.Reasoning,
        10 when key.SequenceEqual("tool_calls"u8) => Place.ToolCalls,
        13 when key.SequenceEqual("function_call"u8) => Place.Function,
        17 when key.SequenceEqual("reasoning_content"u8) => Place.Reasoning,
        _ => Place.Other,
    };

    private static Place InMessage(ReadOnlySpan<byte> key) => key.Length switch
    {
        4 when key.SequenceEqual("type"u8) => Place.Object,
        5 when key.SequenceEqual("delta"u8) => Place.BlockDelta,
        5 when key.SequenceEqual("error"u8) => Place.Error,
        5 when key.SequenceEqual("index"u8) => Place.Varying,
        5 when key.SequenceEqual("model"u8) => Place.Model,
        5 when key.SequenceEqual("usage"u8) => Place.Usage,
        7 when key.SequenceEqual("content"u8) => Place.Blocks,
        7 when key.SequenceEqual("message"u8) => Place.BegunMessage,
        11 when key.SequenceEqual("stop_reason"u8) => Place.Finish,
        13 when key.SequenceEqual("content_block"u8) => Place.Block,
        _ => Place.Other,
    };

    private static Place InBlock(ReadOnlySpan<byte> key) => key.Length switch
    {
        4 when key.SequenceEqual("text"u8) => Place.Text,
        4 when key.SequenceEqual("name"u8) => Place.Text,
        5 when key.SequenceEqual("input"u8) => Place.Input,
        8 when key.SequenceEqual("thinking"u8) => Place.Text,
        _ => Place.Other,
    };

    private static Place InBlockDelta(ReadOnlySpan<byte> key) => key.Length switch
    {
        4 when key.SequenceEqual("text"u8) => Place.Text,
        8 when key.SequenceEqual("thinking"u8) => Place.Text,
        11 when key.SequenceEqual("stop_reason"u8) => Place.Finish,
        12 when key.SequenceEqual("partial_json"u8) => Place.Text,
        _ => Place.Other,
    };

    private static Place InResponse(ReadOnlySpan<byte> key) => key.Length switch
    {
        2 when key.SequenceEqual("id"u8) => Place.Varying,
        4 when key.SequenceEqual("type"u8) => Place.Object,
        5 when key.SequenceEqual("delta"u8) => Place.Text,
        5 when key.SequenceEqual("error"u8) => Place.Error,
        5 when key.SequenceEqual("usage"u8) => Place.Usage,
        6 when key.SequenceEqual("output"u8) => Place.Items,
        7 when key.SequenceEqual("item_id"u8) => Place.Varying,
        8 when key.SequenceEqual("response"u8) => Place.ToldResponse,
        11 when key.SequenceEqual("obfuscation"u8) => Place.Varying,
        12 when key.SequenceEqual("output_index"u8) => Place.Varying,
        13 when key.SequenceEqual("content_index"u8) || key.SequenceEqual("summary_index"u8) => Place.Varying,
        15 when key.SequenceEqual("sequence_number"u8) => Place.Varying,
        _ => Place.Other,
    };

    /// <summary>What a model wrote of an item: content and summary are strings or parts.</summary>
    private static Place InItem(ReadOnlySpan<byte> key) =>
        key.SequenceEqual("content"u8) || key.SequenceEqual("summary"u8) || key.SequenceEqual("name"u8) || key.SequenceEqual("arguments"u8)
            || key.SequenceEqual("input"u8) || key.SequenceEqual("code"u8)
            ? Place.Text
            : Place.Other;
}
