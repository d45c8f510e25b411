namespace TokenFactory.Inference.Dialects;

/// <summary>The gateway holds as many bodies as it has memory for, and this answer would have to be held.</summary>
/// <param name="isForGood">It takes more than all there is, however little else is held.</param>
internal sealed class NoRoomForAnswerException(bool isForGood) : IOException("there is no room to hold the answer")
{
    public GatewayError Error { get; } = isForGood ? GatewayError.AnswerTooLarge : GatewayError.NoRoomForAnswer;
}
