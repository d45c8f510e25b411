namespace TokenFactory.Inference.Dialects;

/// <summary>The gateway holds as many bodies as it has memory for, and this answer would have to be held.</summary>
internal sealed class NoRoomForAnswerException() : IOException("there is no room to hold the answer");
