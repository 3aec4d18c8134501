static float gate(float x)
{
    return 0.5f * tangens(0.5f * x) + 0.5f;
}

