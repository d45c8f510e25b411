using System.Buffers.Binary;
using System.Buffers.Text;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Keys;
using TokenFactory.Inference.ReadModel.Routes;

namespace TokenFactory.Inference.Conversations;

/// <summary>
/// The ids of responses as clients know them: where the response is kept and what the backend calls it, signed for one tenant. Nothing is
/// stored for them: every replica has the peppers of the keys, and derives the signing key from them, so an id lives as long as its pepper
/// verifies keys. One that was altered, cut, or given to another tenant is no id (P9), and nobody can tell which of these it was.
/// </summary>
internal static class ConversationIds
{
    private const string Prefix = "resp_";
    private const byte Version = 1;
    private const int FingerprintBytes = 8;
    private const int HeadBytes = 1 + FingerprintBytes + sizeof(uint);
    private const int SignatureBytes = 16;
    private const int BoundBytes = 1024;

    private static readonly byte[] _purpose = "tokenfactory response ids 1"u8.ToArray();
    private static readonly ConditionalWeakTable<Pepper, byte[]> _keys = [];

    /// <param name="tokens">About how many tokens the conversation holds with this response.</param>
    public static string Sign(IReadOnlyList<Pepper> peppers, string tenant, string deployment, string backendId, long tokens)
    {
        var key = KeyOf(peppers[0]);
        var bytes = new byte[HeadBytes + Encoding.UTF8.GetByteCount(backendId) + SignatureBytes];
        bytes[0] = Version;
        Fingerprint(key, tenant, deployment, bytes.AsSpan(1, FingerprintBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(1 + FingerprintBytes), (uint)Math.Clamp(tokens, 0, uint.MaxValue));
        Encoding.UTF8.GetBytes(backendId, bytes.AsSpan(HeadBytes));
        Signature(key, tenant, bytes.AsSpan(0, bytes.Length - SignatureBytes), bytes.AsSpan(bytes.Length - SignatureBytes));
        return Prefix + Base64Url.EncodeToString(bytes);
    }

    /// <summary>What the id stands for; null when it is not this tenant's, or its deployment is gone.</summary>
    /// <param name="route">Whose deployments are looked at first; null when none is known.</param>
    public static Conversation? Find(Snapshot snapshot, string tenant, string id, ModelRoute? route = null)
    {
        if (!id.StartsWith(Prefix, StringComparison.Ordinal) || id.Length > BoundBytes || Decode(id.AsSpan(Prefix.Length)) is not { Length: > HeadBytes + SignatureBytes } bytes || bytes[0] != Version)
        {
            return null;
        }

        var said = bytes.AsSpan(0, bytes.Length - SignatureBytes);
        Span<byte> signature = stackalloc byte[SignatureBytes];
        foreach (var pepper in snapshot.Peppers)
        {
            var key = KeyOf(pepper);
            Signature(key, tenant, said, signature);
            if (CryptographicOperations.FixedTimeEquals(signature, bytes.AsSpan(said.Length)))
            {
                return DeploymentOf(snapshot.Registry, key, tenant, route, said.Slice(1, FingerprintBytes)) is { } deployment
                    ? new Conversation(deployment, Encoding.UTF8.GetString(said[HeadBytes..]), BinaryPrimitives.ReadUInt32LittleEndian(said[(1 + FingerprintBytes)..]))
                    : null;
            }
        }

        return null;
    }

    /// <summary>Null unless it is the one way to write these bytes: the spare bits of a last letter would make several ids of one.</summary>
    private static byte[]? Decode(ReadOnlySpan<char> text)
    {
        if (!Base64Url.IsValid(text))
        {
            return null;
        }

        var bytes = Base64Url.DecodeFromChars(text);
        return text.SequenceEqual(Base64Url.EncodeToString(bytes)) ? bytes : null;
    }

    private static string? DeploymentOf(Registry registry, byte[] key, string tenant, ModelRoute? route, ReadOnlySpan<byte> fingerprint)
    {
        // Nearly always it is one of the model's own.
        foreach (var target in route?.Targets ?? [])
        {
            if (IsOf(key, tenant, target.Deployment.Name, fingerprint))
            {
                return target.Deployment.Name;
            }
        }

        foreach (var name in registry.Deployments.Keys)
        {
            if (IsOf(key, tenant, name, fingerprint))
            {
                return name;
            }
        }

        return null;
    }

    private static bool IsOf(byte[] key, string tenant, string deployment, ReadOnlySpan<byte> fingerprint)
    {
        Span<byte> own = stackalloc byte[FingerprintBytes];
        Fingerprint(key, tenant, deployment, own);
        return own.SequenceEqual(fingerprint);
    }

    /// <summary>Tells deployments apart without naming them, and to no two tenants the same.</summary>
    private static void Fingerprint(byte[] key, string tenant, string deployment, Span<byte> fingerprint) =>
        Signature(key, tenant, Encoding.UTF8.GetBytes(deployment), fingerprint);

    private static void Signature(byte[] key, string tenant, ReadOnlySpan<byte> said, Span<byte> signature)
    {
        var message = new byte[sizeof(int) + Encoding.UTF8.GetByteCount(tenant) + said.Length];
        var named = Encoding.UTF8.GetBytes(tenant, message.AsSpan(sizeof(int)));
        BinaryPrimitives.WriteInt32LittleEndian(message, named);
        said.CopyTo(message.AsSpan(sizeof(int) + named));
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, message, hash);
        hash[..signature.Length].CopyTo(signature);
    }

    private static byte[] KeyOf(Pepper pepper) => _keys.GetValue(pepper, static one =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, one.Value.ToArray(), HMACSHA256.HashSizeInBytes, salt: [], info: _purpose));
}
