namespace TokenFactory.Gateway.EndToEnd.Faults;

/// <summary>What one client knows of one call of its own: its half of the books.</summary>
internal sealed class Call
{
    public required string Model { get; init; }

    public required string Prompt { get; init; }

    /// <summary>Whether the answer may speak of usage: on a stream only to who asked.</summary>
    public required bool MayHearUsage { get; init; }

    /// <summary>The response's <c>x-request-id</c>; null when no head arrived.</summary>
    public Guid? Id { get; set; }

    public int Status { get; set; }

    /// <summary>The terminator was seen, or the JSON body was complete.</summary>
    public bool Whole { get; set; }

    /// <summary>This client hung up by itself.</summary>
    public bool HungUp { get; set; }

    /// <summary>Whether the head said when to come again.</summary>
    public bool MayComeAgain { get; set; }

    /// <summary>The code of the error it was told, in the body or in-band.</summary>
    public string? ErrorCode { get; set; }

    /// <summary>Every piece of text that arrived.</summary>
    public string Text { get; set; } = "";

    /// <summary>What the answer said of usage; null when it said nothing.</summary>
    public long? ToldInput { get; set; }

    public long? ToldOutput { get; set; }

    /// <summary>Whether anything in the answer spoke of usage.</summary>
    public bool SawUsageChunk { get; set; }
}
