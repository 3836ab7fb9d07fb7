namespace Bulwark.Planning;
