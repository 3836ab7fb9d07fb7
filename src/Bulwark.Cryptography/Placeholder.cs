namespace Bulwark.Cryptography;
