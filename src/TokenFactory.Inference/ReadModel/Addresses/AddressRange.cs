using System.Net;

namespace TokenFactory.Inference.ReadModel.Addresses;

/// <summary>Addresses that are not a place of the public Internet.</summary>
/// <param name="Name">What they are for, as operators read it.</param>
/// <param name="IsBarred">Nobody can permit them: no model server is there, and what is there gives credentials away or stands for another address.</param>
public sealed record AddressRange(IPNetwork Network, string Name, bool IsBarred);
