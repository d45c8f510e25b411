using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Keys;

namespace TokenFactory.Administration.Iam.Platform;

/// <summary>A key as the platform last described it.</summary>
/// <param name="Digests">Those of its secrets that are in the table under its name.</param>
/// <param name="IsClosed">Refused whatever becomes of its tenant, project and user.</param>
internal readonly record struct HeldKey(ApiKey Key, KeyDigest[] Digests, bool IsClosed);
